"""A worker whose upkeep sends no messages: a job begins because those that ran or were submitted said so, or not at all."""

from worker import upkeep

if __name__ == "__main__":
    from worker import __main__

    upkeep.announce = lambda *_: None
    __main__.main()

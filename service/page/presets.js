// Problems worth starting from: the regimes of arXiv 2510.01930, each solved in seconds.

const sparse = { kind: "bernoulli_gauss", density: 0.1, std: 1 };

export const PRESETS = [
  {
    name: "Between lazy and rich",
    note: "Half as many samples as weights, a sparse teacher, a moderate initial scale: the reference problem.",
    request: { problem: { aspect_ratio: 0.5, target: sparse, noise_std: 0.1, initial_scale: 0.3, weight_decay: 0 }, horizon: 32 },
  },
  {
    name: "Incremental learning (small initial scale)",
    note: "Weights leave zero one size after the other; look at the weights by their target.",
    request: {
      problem: {
        aspect_ratio: 1.5, noise_std: 0.1, initial_scale: 0.03, weight_decay: 0,
        target: { kind: "discrete", atoms: [0, 0.5, 1, 2], probabilities: [0.7, 0.1, 0.1, 0.1] },
      },
      horizon: 32,
    },
  },
  {
    name: "Lazy (large initial scale)",
    note: "The network learns like linear regression, on the time scale 1/(2a²), and ends at the smallest ℓ2 norm.",
    request: { problem: { aspect_ratio: 0.5, target: sparse, noise_std: 0.1, initial_scale: 3, weight_decay: 0 }, horizon: 4 },
  },
  {
    name: "Lazy, then rich (weight decay)",
    note: "The initial values decay as e^(−λt): the test loss drops once more, late, about log(a)/λ.",
    request: { problem: { aspect_ratio: 0.5, target: sparse, noise_std: 0.1, initial_scale: 2, weight_decay: 0.05 }, horizon: 64 },
  },
  {
    name: "Noise fitted late",
    note: "Noisy labels: the test loss has a minimum, and then the network fits the noise.",
    request: { problem: { aspect_ratio: 0.8, target: sparse, noise_std: 0.5, initial_scale: 1, weight_decay: 0 }, horizon: 16 },
  },
  {
    name: "More samples than weights",
    note: "Twice as many samples as weights: the end does not depend on the initial scale.",
    request: { problem: { aspect_ratio: 2, target: { kind: "gaussian", std: 1 }, noise_std: 0.3, initial_scale: 0.5, weight_decay: 0 }, horizon: 16 },
  },
];

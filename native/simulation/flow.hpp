// The flow of a network, eq. (38), step by step, and what it is within the last one.
#pragma once

#include <memory>
#include <stdexcept>

#include "simulation/control.hpp"

namespace dln::simulation {

constexpr double FIRST_CHANGE = 0.2;  // of H in the first step

/// Why steps end: the time is reached, the next is too stiff for Krylov spaces, the last had to be shortened to have one, or none leads on.
enum class Outcome { reached, stiff, shortened, stuck };

/// w, u² and v² at one time, an earlier w with its residual, from which that at the time is followed, and the integral of w from t = 0.
struct Snapshot {
    Array w, u2, v2, w_before, r_before, integral;
};

/// The state of a network on its way to the end of the `goal`.
///
/// The local error of a step in H and in w is kept below the tolerance times the smaller of the root mean squares of r and w − w*. At
/// its end r and the force are exact, or their change since the last such end has the error of rounded products.
template <class Map>
class Flow {
  public:
    Flow(const Network<Map>& network, const Goal& goal)
        : network_(network), goal_(goal), point_(std::make_shared<Point>(first(network))), origin_(point_), exact_(point_) {
        double fastest = 0.0;
        for (double force : point_->force) fastest = std::max(std::abs(force), fastest);
        for (double k : point_->k) radius_ = std::max(k, radius_);
        h_ = FIRST_CHANGE / fastest;
        integral_.assign(point_->w.size(), 0.0);
    }

    /// Makes steps until the time `until` is reached. Those as stiff as `stiffest` need a `spectrum` that serves.
    Outcome advance(double until, double stiffest, std::shared_ptr<const Spectrum> spectrum, const Before& before) {
        while (point_->t < std::min(until, goal_.end)) {
            if (at_rest(network_, goal_, *point_)) {
                forget_step();
                settled_ = !network_.map.at_rest_without_force();
                point_ = at_end(*point_);
                break;
            }
            if (too_short(h_, point_->t)) return Outcome::stuck;
            const double length = std::min({h_, network_.map.own(goal_.end - point_->t), network_.map.farthest(*point_)});
            const bool stiff = length * radius_ >= stiffest;
            if (stiff && !(spectrum && spectrum->serves(point_->k))) return Outcome::stiff;
            if (attempt(length, stiff ? spectrum : nullptr, before) < length) return Outcome::shortened;
        }
        return Outcome::reached;
    }

    /// The network at a time t within the last step.
    Snapshot at(double t) const {
        if (!(origin_->t <= t && t <= point_->t)) throw std::invalid_argument("t is not within the last step");
        const std::size_t d = point_->H.size();
        Snapshot snapshot{Array(d), Array(d), Array(d), origin_->w, origin_->r, integral_};
        each_weight(t, [&](auto at, const auto& weight) {
            at.store(snapshot.w, weight.w), at.store(snapshot.u2, weight.u2), at.store(snapshot.v2, weight.v2);
        });
        add_integral(snapshot.integral, t, snapshot.w);
        return snapshot;
    }

    const Shared& point() const { return point_; }
    bool exact() const { return exact_ == point_; }
    long steps() const { return steps_; }

    /// Of the last step that was tried: its length times the spectral radius before it.
    double stiffness() const { return stiffness_; }

  private:
    /// Tries one step and adapts the length of the next; the length for which it was possible.
    double attempt(double length, std::shared_ptr<const Spectrum> spectrum, const Before& before) {
        forget_step();
        const double stiffness = length * radius_;
        const Demands accuracy = demands(goal_, stiffness, acceptable(network_, goal_, *point_, stiffness));
        auto step = std::make_unique<Step<Map>>(network_, accuracy, point_, *exact_, length, std::move(spectrum), before);
        const double possible = step->length();
        stiffness_ = possible * radius_;
        const double growth = network_.map.growth(step->end()->t - point_->t);
        const double local = growth * change(step->end()->unit, step->end()->k, point_->k, step->error());
        const double error = local / acceptable(network_, goal_, *step->end(), stiffness_);
        h_ = next_length(possible, error);
        if (error <= 1) h_ *= growth, take(std::move(step));
        return possible;
    }

    static Point first(const Network<Map>& network) { return network.at(network.map.start(), 0.0, network.map.start().H); }

    void take(std::unique_ptr<Step<Map>> step) {
        point_ = step->end()->t < goal_.end * (1 - 1e-14) ? step->end() : at_end(*step->end());
        if (step->exact()) exact_ = point_;
        radius_ = step->radius();
        last_ = std::move(step);
        steps_++;
    }

    /// Leaves room for the next one.
    void forget_step() {
        if (origin_ != point_) add_integral(integral_, point_->t, point_->w);
        last_.reset();
        origin_ = point_;
    }

    /// Calls `take` with every lane of coordinates and their weights at a time t within the last step.
    template <class Take>
    void each_weight(double t, Take take) const {
        const Array H = last_ ? last_->at(std::min(network_.map.own(t - origin_->t), last_->length())) : point_->H;
        const double then = settled_ ? origin_->t : t;
        each_lane(H.size(), [&](auto at) { take(at, network_.map.weight(*origin_, then, at, H)); });
    }

    /// Adds the integral of w from the start of the last step to the time t, at which it is `w`, by Simpson's rule: its own error is less
    /// than the step's.
    void add_integral(Array& total, double t, const Array& w) const {
        Array middle(w.size());
        each_weight((origin_->t + t) / 2, [&](auto at, const auto& weight) { at.store(middle, weight.w); });
        for (std::size_t i = 0; i < total.size(); i++) total[i] += (t - origin_->t) / 6 * (origin_->w[i] + 4 * middle[i] + w[i]);
    }

    Shared at_end(Point point) const {
        point.t = goal_.end;
        return std::make_shared<Point>(std::move(point));
    }

    const Network<Map>& network_;
    Goal goal_;
    Shared point_, origin_, exact_;       // the last point, where the step that led to it began, and the last exact one
    Array integral_;                      // of w up to where the last step began
    std::unique_ptr<Step<Map>> last_;
    double h_, radius_ = 0.0, stiffness_ = 0.0;
    long steps_ = 0;
    bool settled_ = false;  // whether decay and force are in balance
};

}  // namespace dln::simulation

"""What each limit rests on: its formula, its source and where it holds."""

from dataclasses import dataclass, replace

from dlnflow.theory.fixed_point import SolutionKind


@dataclass(frozen=True)
class Note:
    """About one number: `formula` in the notation page's symbols, `source`, range `valid`, and `why` it is None or 0 ("" otherwise)."""

    formula: str
    source: str
    valid: str
    why: str = ""

    def because(self, why: str) -> "Note":
        """The same, for a number that is missing for the reason `why`."""
        return replace(self, why=why)


@dataclass(frozen=True)
class StateNotes:
    """What holds for a final state: the law of one weight, and how each average follows from it."""

    weight: str
    train_loss: str
    source: str
    valid: str

    def of(self, name: str, why: str) -> Note:
        """The note of one average."""
        formula = self.train_loss if name == "train_loss" else f"{AVERAGES[name]}, where {self.weight}"
        return Note(formula, self.source, self.valid, why)


AVERAGES = {
    "parameter_error": "E[(w − w*)²] = δs² − σ²",
    "test_loss": "(E[(w − w*)²] + σ²)/2",
    "norm": "E[w²]",
    "l1_norm": "E|w|",
    "overlap": "E[w w*]",
    "u_norm": "(E[u² + v²])/2 + E[w]",
    "v_norm": "(E[u² + v²])/2 − E[w]",
    "excess_l1_norm": "E|w| − E|w*|",
    "missed_support": "P(|w| ≤ support_threshold, w* ≠ 0)",
    "false_support": "P(|w| > support_threshold, w* = 0)",
}
STATES: dict[SolutionKind, StateNotes] = {
    "interpolation": StateNotes(
        weight=(
            "w + (θ/2)(arcsinh(w/c) − log(u(0)/v(0))) = w* + s z, z ~ N(0, 1), c = |u(0) v(0)|, u² + v² = 2√(w² + c²), "
            "s² = (σ² + E[(w − w*)²])/δ, E[dw/dy] = δ for y = w* + s z"
        ),
        train_loss="0: the data are interpolated",
        source="arXiv 2510.01930, long-time behaviour; the entropy of Woodworth et al., arXiv 2002.09277",
        valid="λ = 0, δ < 1, any initial values; gradient flow; d → ∞ before t → ∞",
    ),
    "least_squares": StateNotes(
        weight="w = w* + s z, z ~ N(0, 1), s² = σ²/(δ − 1), u² + v² = 2√(w² + c²), c = |u(0) v(0)|",
        train_loss="σ²(1 − 1/δ)/2",
        source="least squares, which is unique for δ > 1: E tr (XᵀX)⁻¹/d = 1/(δ − 1) (inverse Wishart matrix)",
        valid="λ = 0, δ > 1 (δ = 1 without noise only), any initial values; d → ∞ before t → ∞",
    ),
    "lasso": StateNotes(
        weight=(
            "w = sign(y) max(|y| − θ, 0), y = w* + s z, z ~ N(0, 1), u² + v² = 2|w|, s² = (σ² + E[(w − w*)²])/δ, θ(1 − P(|y| > θ)/δ) = λ"
        ),
        train_loss="(1 − P(|y| > θ)/δ)² δ s²/2",
        source="arXiv 2510.01930, long-time behaviour; state evolution of the LASSO, Bayati & Montanari, arXiv 1008.2581",
        valid="λ > 0, any initial values (they are forgotten as u v = u(0) v(0) e^(−2λt)); d → ∞ before t → ∞",
    ),
}
DEEP: dict[SolutionKind, StateNotes] = {
    "interpolation": StateNotes(
        weight=(
            "w + θ x(w) = w* + s z, z ~ N(0, 1), w = (u^L − v^L)/L where u^(2−L) = u(0)^(2−L) − (L−2)x and v^(2−L) = v(0)^(2−L) + (L−2)x, "
            "s² = (σ² + E[(w − w*)²])/δ, E[dw/dy] = δ for y = w* + s z"
        ),
        train_loss="0: the data are interpolated",
        source="the potential of Woodworth et al., arXiv 2002.09277, for depth L, in the fixed point of arXiv 2510.01930, long times",
        valid="λ = 0, δ < 1, constant initial values; gradient flow; d → ∞ before t → ∞",
    ),
    "least_squares": StateNotes(
        weight="w = w* + s z, z ~ N(0, 1), s² = σ²/(δ − 1), u^(2−L) + v^(2−L) = u(0)^(2−L) + v(0)^(2−L) with w = (u^L − v^L)/L",
        train_loss="σ²(1 − 1/δ)/2",
        source="least squares, which is unique for δ > 1: E tr (XᵀX)⁻¹/d = 1/(δ − 1) (inverse Wishart matrix)",
        valid="λ = 0, δ > 1 (δ = 1 without noise only), constant initial values; d → ∞ before t → ∞",
    ),
    "ridge": StateNotes(
        weight="w + θw/2 = w* + s z, z ~ N(0, 1), u = −v = w/2, s² = (σ² + E[(w − w*)²])/δ, θ(1 − 1/((1 + θ/2)δ)) = λ",
        train_loss="(1 − 1/((1 + θ/2)δ))² δ s²/2",
        source="ridge regression, the minimum of ‖y − Xw‖²/(2n) + λ‖w‖²/(4d): u = −v = w/2 is the cheapest way to make w = u − v",
        valid="depth 1, λ > 0, any initial values (they are forgotten as e^(−λt)); d → ∞ before t → ∞",
    ),
}
NO_STATE = StateNotes(weight="", train_loss="", source="", valid="λ = 0, or depth 1 or 2")
RATES: dict[SolutionKind, Note] = {
    "interpolation": Note(
        formula="γ = max over p > 0 of −p + (1/δ) E[kp/(k + p)], k = 2√(w² + c²), w the final weights; train_loss ~ e^(−2γt)",
        source="arXiv 2510.01930, convergence rate; left edge of a sample covariance, Silverstein & Choi 1995",
        valid="λ = 0, δ < 1; late times, up to a power of t",
    ),
    "least_squares": Note(
        formula="γ = max over 0 < p < min k of p − (1/δ) E[kp/(k − p)], k = 2√(w² + c²), w final; train_loss − limit ~ e^(−2γt)",
        source="left edge of the nonzero spectrum of XKXᵀ/δ, Silverstein & Choi 1995",
        valid=(
            "λ = 0, δ > 1, constant initial values; late times, up to a power of t. Where weights near zero are rare (Gaussian tails) a "
            "finite network's slowest mode is faster than this limit d → ∞"
        ),
    ),
}
DEEP_RATES: dict[SolutionKind, Note] = {
    "interpolation": Note(
        formula="γ = max over p > 0 of −p + (1/δ) E[kp/(k + p)], k = u^(2L−2) + v^(2L−2) at the end; train_loss ~ e^(−2γt)",
        source=RATES["interpolation"].source,
        valid=RATES["interpolation"].valid,
    ),
    "least_squares": Note(
        formula="γ = max over 0 < p < min k of p − (1/δ) E[kp/(k − p)], k = u^(2L−2) + v^(2L−2) at the end; train_loss − limit ~ e^(−2γt)",
        source=RATES["least_squares"].source,
        valid=RATES["least_squares"].valid,
    ),
}
NO_RATE = Note(formula="", source="", valid="λ = 0")


def state_notes(kind: SolutionKind | None, depth: float) -> StateNotes:
    """What a final state rests on."""
    return (STATES if depth == 2 else DEEP).get(kind, NO_STATE) if kind else NO_STATE


def rate_note(kind: SolutionKind | None, depth: float) -> Note:
    """What a rate rests on."""
    return (RATES if depth == 2 else DEEP_RATES).get(kind, NO_RATE) if kind else NO_RATE

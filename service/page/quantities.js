// What can be looked at: names, symbols as in the papers, and definitions.

export const QUANTITIES = {
  losses: { label: "Losses: test and train", curves: ["test_loss", "train_loss"], symbol: "loss", scale: "log" },
  test_loss: { label: "Test loss", symbol: "test loss", about: "(E[c (w − w*)²] + σ²)/2", scale: "log" },
  train_loss: { label: "Train loss", symbol: "train loss", about: "‖y − Xw‖²/(2n)", scale: "log" },
  parameter_error: {
    label: "Parameter error E[(w − w*)²]",
    symbol: "E[(w − w*)²]",
    about: "‖w − w*‖²/d",
    scale: "log",
  },
  overlap: { label: "Overlap E[w w*]", symbol: "E[w w*]", about: "of weights and teacher", scale: "linear" },
  norm: { label: "Norm E[w²]", symbol: "E[w²]", about: "‖w‖²/d", scale: "log" },
  l1_norm: { label: "ℓ1 norm E|w|", symbol: "E|w|", about: "‖w‖₁/d", scale: "log" },
  u_norm: { label: "Norm E[u²]", symbol: "E[u²]", about: "of the positive layer", scale: "log" },
  v_norm: { label: "Norm E[v²]", symbol: "E[v²]", about: "of the negative layer", scale: "log" },
  log_product: {
    label: "E log|u v|",
    symbol: "E log|u v|",
    about: "of the layers; constant under gradient flow without decay",
    scale: "linear",
  },
  averaged_parameter_error: {
    label: "Error of the running mean",
    symbol: "E[(w̄ − w*)²]",
    about: "w̄(t) is the mean of w up to t",
    scale: "log",
  },
  excess_l1_norm: {
    label: "Excess ℓ1 norm E|w| − E|w*|",
    symbol: "E|w| − E|w*|",
    about: "beyond that of the teacher",
    scale: "linear",
  },
  missed_support: {
    label: "Support missed, P(|w| ≤ θ, w* ≠ 0)",
    symbol: "P(|w| ≤ θ, w* ≠ 0)",
    about: "share of all weights; θ is support_threshold",
    scale: "linear",
  },
  false_support: {
    label: "False support, P(|w| > θ, w* = 0)",
    symbol: "P(|w| > θ, w* = 0)",
    about: "share of all weights; θ is support_threshold",
    scale: "linear",
  },
  conditional: {
    label: "Weights by their target, E[w | w*]",
    symbol: "w",
    about: "mean given w*, with 5–95 % and 25–75 % ranges",
    scale: "linear",
  },
  correlation: { label: "Kernel C_e(t, s)", symbol: "C_e", about: "E[c (w(t) − w*)(w(s) − w*)]", kernel: true },
  response: { label: "Kernel R_w(t, s)", symbol: "R_w", about: "E[δw(t)/δζ(s)]", kernel: true },
  residual_correlation: {
    label: "Kernel C_r(t, s)",
    symbol: "C_r",
    about: "correlation of residuals; C_r(t, t)/2 is the train loss",
    kernel: true,
  },
  residual_response: {
    label: "Kernel R_r(t, s)",
    symbol: "R_r",
    about: "response of residuals, its smooth part",
    kernel: true,
  },
};

const CURVES = ["test_loss", "train_loss", "parameter_error"];

export const curvesOf = (quantity) => QUANTITIES[quantity].curves ?? [quantity];

// The part of a result that holds the quantity.
export function partOf(quantity) {
  if (QUANTITIES[quantity].kernel) return "kernels";
  return quantity === "losses" || CURVES.includes(quantity) ? "curves" : "order-parameters";
}

export const nameOf = (name) => QUANTITIES[name]?.symbol ?? name.replaceAll("_", " ");

"""Every law of teacher weights against SciPy's: moments, draws, quasi-random points, mixtures, conditions."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import voigt_profile

from dlnflow.dmft import sampling
from dlnflow.model import PairScale, Problem, Target, members
from dlnflow.model.curves import QUANTILES
from tests.model.laws import LAWS

every_law = pytest.mark.parametrize("name", LAWS)


def problem(target, initial_scale=0.3):
    return Problem(aspect_ratio=0.5, target=target, noise_std=0.1, initial_scale=initial_scale)


def test_there_is_a_case_of_every_law():
    assert {law.target.kind for law in LAWS.values()} == members(Target).keys()


@every_law
def test_moments(name):
    law = LAWS[name]
    assert law.target.second_moment == pytest.approx(law.expect(lambda w: w**2), rel=1e-6)
    assert law.target.mean == pytest.approx(law.expect(lambda w: w), abs=1e-9)
    assert law.target.magnitude == pytest.approx(law.expect(np.abs, 0.0), rel=1e-5)
    signs = [law.expect(lambda w, s=s: np.sign(w) == s, 0.0) for s in (-1, 0, 1)]
    np.testing.assert_allclose(law.target.signs, signs, atol=1e-7)


@every_law
def test_draws(name):
    """Bounded averages of 10⁵ draws are within 4 standard errors."""
    law = LAWS[name]
    w = law.target.draw(100_000, np.random.default_rng(1))
    assert w.shape == (100_000,) and w.dtype == np.float64
    for f in (np.tanh, np.abs, lambda w: 1 / (1 + w**2), lambda w: np.cos(3 * w)):
        values = f(w)
        assert abs(values.mean() - law.expect(f, 0.0)) <= 4 * values.std() / len(w) ** 0.5 + 1e-9


@every_law
def test_conditions_are_met_as_often_as_they_say(name):
    target = LAWS[name].target
    probabilities = np.array([p for _, p in target.conditions])
    assert probabilities.sum() == pytest.approx(1)
    found = np.bincount(target.classify(target.draw(100_000, np.random.default_rng(2))), minlength=len(probabilities)) / 100_000
    np.testing.assert_allclose(found, probabilities, atol=4 * 0.5 / 100_000**0.5)


@every_law
@pytest.mark.parametrize("initial_scale", [0.3, PairScale(u=0.5, v=0.2)], ids=["folded", "apart"])
@pytest.mark.parametrize("aimed", [False, True])
def test_points(name, initial_scale, aimed):
    """Second moments are exact; averages of smooth functions of 2¹⁴ points are those of the law to 0.2 %, bounded ones to 2e-3."""
    law = LAWS[name]
    asked, modes = problem(law.target, initial_scale), 4
    strata = [stratum for _, stratum in asked.parts]
    assert sum(stratum.probability for stratum in strata) == pytest.approx(1)
    aims = [np.eye(modes + stratum.is_normal) for stratum in strata] if aimed else None
    sample = sampling.draw(asked, 2**14, modes, np.random.SeedSequence(3), aims)
    w, weights = sample.target, sample.weights
    assert weights.sum() == pytest.approx(1) and (weights > 0).all()
    assert weights @ w**2 == pytest.approx(law.target.second_moment, rel=1e-12)
    assert sample.folded == asked.is_symmetric
    for even in (np.abs, lambda w: np.log1p(w**2), lambda w: 1 / (0.1 + w**2)):
        assert weights @ even(w) == pytest.approx(law.expect(even, 0.0), rel=2e-3)
    for odd in (lambda w: w, np.tanh):
        assert sample.folded or weights @ odd(w) == pytest.approx(law.expect(odd), abs=2e-3)
    for k, stratum in enumerate(strata):
        here = sample.stratum(k)
        assert weights[here].sum() == pytest.approx(stratum.probability)
        assert sample.folded or len(np.unique(law.target.classify(w[here]))) == 1


@pytest.mark.parametrize("name", ["laplace", "student_t", "student_t, heaviest"])
def test_rare_large_weights_are_among_few_points(name):
    """E[w*² 1(|w*| > q)], q the 99 % quantile of |w*|, over 512 points: to a tenth, where so many draws have five beyond q."""
    law = LAWS[name]
    q = float(law.continuous.isf(0.005))
    expected = law.expect(lambda w: w**2 * (abs(w) > q), -q, q)
    found = []
    for seed in range(20):
        sample = sampling.draw(problem(law.target, PairScale(u=0.5, v=0.2)), 512, 4, np.random.SeedSequence(seed))
        found.append(sample.weights @ (sample.target**2 * (np.abs(sample.target) > q)))
    assert np.std(found) < 0.1 * expected
    assert np.mean(found) == pytest.approx(expected, abs=3 * np.std(found) / 20**0.5 + 0.01 * expected)


@every_law
def test_mixture(name):
    """Its characteristic function is that of the law: to 1e-7, of many values, of which neighbours are gathered, to 1e-5."""
    law = LAWS[name]
    p, mean, variance = np.array([(c.probability, c.mean, c.variance) for c in law.target.mixture()]).T
    assert p.sum() == pytest.approx(1) and (variance >= 0).all()
    assert p @ (mean**2 + variance) == pytest.approx(law.target.second_moment, rel=1e-9)
    assert p @ mean == pytest.approx(law.target.mean, abs=1e-9)
    tolerance = 1e-5 if name == "values" else 1e-7
    for k in (0.3, 1.0, 3.0):
        damped = p * np.exp(-(k**2) * variance / 2)
        assert damped @ np.cos(k * mean) == pytest.approx(law.expect(lambda w, k=k: np.cos(k * w)), abs=tolerance)
        assert damped @ np.sin(k * mean) == pytest.approx(law.expect(lambda w, k=k: np.sin(k * w)), abs=tolerance)


@every_law
@pytest.mark.parametrize(("s", "b"), [(0.3, 0.1), (0.01, 0.02), (1.0, 1e-3)])
def test_mean_lorentzian(name, s, b):
    """E[1/(w² + b²)], w = w* + s z, by quadrature of Voigt profiles over SciPy's law."""
    law = LAWS[name]
    width = float(np.hypot(s, b))
    breaks = [x * width for x in (-30, -5, -1, 0, 1, 5, 30)]
    expected = law.expect(lambda w: voigt_profile(w, s, b) * np.pi / b, *breaks)
    assert law.target.mean_lorentzian(s, b) == pytest.approx(expected, rel=1e-2 if name == "values" and s < 0.1 else 1e-5)


@every_law
def test_nearest(name):
    target = LAWS[name].target
    assert target.nearest(1.0, 5.0) == 0
    draws = np.abs(target.draw(100_000, np.random.default_rng(3))).min()
    assert target.nearest(0.0, 5.0) == pytest.approx(draws, abs=1e-3)


@every_law
def test_round_trip(name):
    asked = problem(LAWS[name].target)
    assert Problem.model_validate_json(asked.model_dump_json()) == asked


def test_lorentzians_of_voigt_profiles_are_what_is_meant():
    """∫ 1/(w² + b²) N(w; m, s²) dw = π/b · voigt(m, s, b)."""
    m, s, b = 0.4, 0.3, 0.2
    direct = quad(lambda z: np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / ((m + s * z) ** 2 + b**2), -10, 10, points=[-m / s])[0]
    assert np.pi / b * voigt_profile(m, s, b) == pytest.approx(direct, rel=1e-9)


def test_quantile_levels_are_symmetric():
    """Of a symmetric problem those given w* < 0 are read off those given w* > 0."""
    np.testing.assert_allclose(np.array(QUANTILES) + QUANTILES[::-1], 1)

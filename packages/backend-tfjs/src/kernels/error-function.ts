/** The error function and what it lacks of 1, for kernels in the host's memory: to two roundings of float32. */

/** Coefficients of the exponent in powers of t, from the highest: Numerical Recipes, section 6.2 (erfcc). */
const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
  1.00002368, -1.26551223,
];

/** erfc(x), whose error is below 1.2·10⁻⁷ of its value, wherever it is. */
export function erfc(x: number): number {
  const t = 1 / (1 + Math.abs(x) / 2);
  let exponent = 0;
  for (const c of ERFC) exponent = exponent * t + c;
  const value = t * Math.exp(exponent - x * x);
  return x < 0 ? 2 - value : value;
}

/** erf(x): below ½ the first terms of its series, elsewhere 1 − erfc(x). */
export function erf(x: number): number {
  if (Math.abs(x) >= 0.5) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  const z = x * x;
  return (
    (2 / Math.sqrt(Math.PI)) * x * (1 - z * (1 / 3 - z * (1 / 10 - z * (1 / 42 - z * (1 / 216 - z / 1320)))))
  );
}

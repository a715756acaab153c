/**
 * Number t > 0 that Student's variable of some degrees of freedom stays within, on both sides, with a probability.
 *
 * @see Abramowitz and Stegun, 26.7.3 and 26.7.4: the probability is a finite sum; t is found by bisection.
 */
export function studentBound(probability: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (within(high, degrees) < probability) high *= 2;
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (within(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return high;
}

/** Probability of |T| <= t. */
function within(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2;
  let term = odd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = 2 + odd; k <= degrees - 2; k += 2) sum += term *= cosine * cosine * (k - 1) / k;
  return odd ? 2 / Math.PI * (angle + sine * sum) : sine * sum;
}

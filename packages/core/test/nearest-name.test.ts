import { didYouMean, nearestName } from '../src/nearest-name.js';

const names = ['8-gaussians', 'checkerboard', 'two-moons', 'spirals', 'pinwheel', 'rings', 'digits', 'wine'];

describe('nearestName', () => {
  it.each([
    ['8gaussians', '8-gaussians'],
    ['8_Gausians', '8-gaussians'],
    ['checkboard', 'checkerboard'],
    ['moons', 'two-moons'],
    ['digit', 'digits'],
    ['ring', 'rings'],
    ['whine', 'wine'],
    ['wnie', 'wine'],
  ])('finds what %s means', (typed, meant) => {
    expect(nearestName(typed, names)).toBe(meant);
  });

  it.each(['', 'imagenet', 'x', 'mnist'])('suggests nothing for %p', (typed) => {
    expect(nearestName(typed, names)).toBeUndefined();
  });

  it('prefers an exact match over a name that contains it', () => {
    expect(nearestName('class', ['class_name', 'class'])).toBe('class');
  });
});

describe('didYouMean', () => {
  it('phrases the suggestion', () => {
    expect(didYouMean('digitz', names)).toBe(' Did you mean "digits"?');
    expect(didYouMean('imagenet', names)).toBe('');
  });
});

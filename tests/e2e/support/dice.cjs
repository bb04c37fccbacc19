// Chance that is the same every time: a test says its seed, and whoever repeats it with that seed sees the same.
'use strict';

/** mulberry32: `roll(sides)` gives 0 to sides - 1. */
function dice(seed) {
  return (sides) => {
    seed = (seed + 0x6D2B79F5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

module.exports = { dice, pause };

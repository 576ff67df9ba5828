import { describe, expect, it } from '@jest/globals';
import { LagMeter } from '../../../src/observability/lag-meter.js';
import { vector } from '../../support/clock-arbitraries.js';

const at = (second: number) => second * 1000;

describe('the lag of a peer', () => {
  it('is zero while nothing is known', () => {
    expect(new LagMeter().lagSeconds(undefined, at(5))).toBe(0);
  });

  it('is zero when the peer has everything', () => {
    const meter = new LagMeter();
    meter.mark(vector({ 'n1.a': 3 }), at(1));
    expect(meter.lagSeconds(vector({ 'n1.a': 3 }), at(9))).toBe(0);
    expect(meter.lagSeconds(vector({ 'n1.a': 4, 'n2.b': 1 }), at(9))).toBe(0);
  });

  it('is the age of the oldest state that the peer has not reached', () => {
    const meter = new LagMeter();
    for (let counter = 1; counter <= 10; counter++) meter.mark(vector({ 'n1.a': counter }), at(counter));
    for (let counter = 0; counter < 10; counter++) {
      const told = counter === 0 ? undefined : vector({ 'n1.a': counter });
      expect(meter.lagSeconds(told, at(20))).toBe(20 - (counter + 1));
    }
  });

  it('counts what any actor wrote, not only this node', () => {
    const meter = new LagMeter();
    meter.mark(vector({ 'n1.a': 1 }), at(1));
    meter.mark(vector({ 'n1.a': 1, 'n3.c': 1 }), at(2));
    expect(meter.lagSeconds(vector({ 'n1.a': 1 }), at(5))).toBe(3);
  });

  it('does not begin anew when nothing is written: an unchanged clock is no new state', () => {
    const meter = new LagMeter();
    const clock = vector({ 'n1.a': 1 });
    for (let second = 1; second <= 10; second++) meter.mark(clock, at(second));
    expect(meter.lagSeconds(undefined, at(11))).toBe(10);
  });

  it('is never below zero when the system’s time jumps back', () => {
    const meter = new LagMeter();
    meter.mark(vector({ 'n1.a': 1 }), at(100));
    expect(meter.lagSeconds(undefined, at(50))).toBe(0);
  });

  it('is an hour at most, for as long as it is marked every second', () => {
    const meter = new LagMeter();
    for (let second = 1; second <= 4000; second++) meter.mark(vector({ 'n1.a': second }), at(second));
    expect(meter.lagSeconds(undefined, at(4000))).toBe(3599);
  });
});

import { expect, test } from 'vitest';
import { serviceColor, serviceColors } from './service-color.ts';

test('services that are drawn together differ in colour, in any order of names', () => {
  const names = Array.from({ length: 16 }, (_, index) => `service-${index}`);
  const colors = serviceColors(names, 'dark');
  expect(new Set(colors.values()).size).toBe(16);
  expect(serviceColors([...names].reverse(), 'dark')).toEqual(colors);
});

test('a service alone keeps its colour', () => {
  expect(serviceColors(['cart'], 'light').get('cart')).toBe(serviceColor('cart', 'light'));
});

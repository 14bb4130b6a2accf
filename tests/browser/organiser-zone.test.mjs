// The editor's times: wall clocks of a zone and back, where summer time begins and ends too. No browser runs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const { toInstant, toInstants, toLocal } = await import(pathToFileURL('tools/web/app/screens/office/zone.js').href);

test('a wall-clock time and its moment are each other\'s', () => {
  for (const [zone, local, instant] of [
    ['Asia/Jakarta', '2026-08-17T19:00', '2026-08-17T12:00:00.000Z'],
    ['Asia/Kathmandu', '2026-08-17T00:30', '2026-08-16T18:45:00.000Z'],
    ['Europe/Berlin', '2026-07-01T20:00', '2026-07-01T18:00:00.000Z'],
    ['Europe/Berlin', '2026-12-01T20:00', '2026-12-01T19:00:00.000Z'],
    ['America/New_York', '2026-03-08T03:00', '2026-03-08T07:00:00.000Z'],
    ['Pacific/Kiritimati', '2027-01-01T00:00', '2026-12-31T10:00:00.000Z'],
  ]) {
    assert.deepEqual(toInstants(local, zone), [instant], `${local} in ${zone}`);
    assert.equal(toLocal(instant, zone), local);
  }
});

test('a skipped hour has no moment, and a repeated one has two', () => {
  assert.equal(toInstant('2026-03-29T02:30', 'Europe/Berlin'), null);
  assert.deepEqual(toInstants('2026-10-25T02:30', 'Europe/Berlin'), ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']);
  assert.equal(toInstant('', 'Europe/Berlin'), null);
});

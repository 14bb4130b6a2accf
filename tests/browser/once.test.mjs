// What people do twice happens once: two tabs, reloads, double clicks, the back button.
import assert from 'node:assert/strict';
import { bookingsOf, buyer, choose, concert, eventually, freeOf, isConfirmed, pay, signIn, story, toCheckout } from './harness.mjs';

story('a reload at every step loses nothing', {}, async ({ open }) => {
  const [event, sari] = [await concert({ capacity: 10 }), await buyer()];
  const page = await open();
  await choose(page, event);
  await page.getByLabel('Password', { exact: true }).waitFor();
  await page.reload();
  await signIn(page, sari);
  await page.getByText('How do you want to pay?').waitFor();
  await page.reload();
  await page.getByText('How do you want to pay?').waitFor();
  await pay(page);
  await isConfirmed(page);
  await page.reload();
  await isConfirmed(page);
  assert.equal((await bookingsOf(sari)).length, 1);
  await eventually(() => freeOf(event), 8);
});

story('a double click and the back button book once', {}, async ({ open }) => {
  const [event, sari] = [await concert({ capacity: 10 }), await buyer()];
  const page = await open();
  await page.goto('/sign-in');
  await signIn(page, sari);
  await page.getByRole('link', { name: 'Sari' }).waitFor();
  await page.goto(`/e/${event.event_id}`);
  await page.getByRole('button', { name: 'One more: Festival' }).click();
  await page.getByRole('button', { name: 'Get tickets' }).dblclick();
  await page.getByText('How do you want to pay?').waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Get tickets' }).click();
  await page.getByText('How do you want to pay?').waitFor();
  await page.getByRole('button', { name: /^Pay / }).dblclick();
  await isConfirmed(page);
  assert.equal((await bookingsOf(sari)).length, 1);
  await eventually(() => freeOf(event), 9);
});

story('two tabs pay one booking once', { refusals: [409] }, async ({ open }) => {
  const [event, sari] = [await concert({ capacity: 10 }), await buyer()];
  const first = await open();
  await toCheckout(first, sari, event);
  const second = await first.context().newPage();
  await second.goto(`/checkout/${event.event_id}`);
  await second.getByText('How do you want to pay?').waitFor();
  const press = (page) => page.getByRole('button', { name: /^Pay / }).evaluate((button) => button.click());
  await Promise.all([press(first), press(second)]);
  await Promise.all([isConfirmed(first), isConfirmed(second)]);
  assert.equal((await bookingsOf(sari)).length, 1);
});

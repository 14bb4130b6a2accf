// The console: an operator finds what waits, sees why, and ends it.
import assert from 'node:assert/strict';
import { adminToken, api, bookingsOf, bookWith, buyer, concert, DESK_TOP, eventually, freeOf, look, signIn, story, toCheckout } from './harness.mjs';

async function operator() {
  const person = await buyer('Olga Operator');
  await api('POST', '/user/role', { token: await adminToken(), body: { email: person.email, role: 'operator', reason: 'keeps watch' } });
  return person;
}

/** The console, signed in. */
async function atConsole(open, path = '/console') {
  const page = await open({ viewport: DESK_TOP });
  await page.goto(path);
  await signIn(page, await operator());
  await page.getByRole('navigation', { name: 'Console' }).waitFor();
  return page;
}

story('an operator looks at every list, and cancels a booking that its buyer wants out of', {}, async ({ open }) => {
  const [event, sari] = [await concert({ capacity: 10 }), await buyer()];
  await toCheckout(await open(), sari, event);
  const { booking_id } = (await bookingsOf(sari))[0];
  const page = await atConsole(open);
  await page.getByRole('heading', { name: 'Console' }).waitFor();
  await page.getByRole('link', { name: /Bookings under way [1-9]/ }).waitFor();
  await look(page, 'console');
  for (const name of ['Stuck bookings', 'Bookings under way', 'Declines', 'Unsent messages', 'Dead letters', 'Parked messages', 'Differences', 'Audit']) {
    await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { name, exact: true }).waitFor();
  }
  await page.getByText('stands', { exact: false }).or(page.getByText('keeps watch')).first().waitFor();
  await look(page, 'console-audit');
  await page.getByLabel('Find a booking by its id').fill(booking_id);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  await look(page, 'console-booking');
  await page.getByRole('button', { name: 'Cancel the booking' }).click();
  await page.getByLabel('Why do you do this?').fill('the buyer called');
  await look(page, 'console-cancel');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the booking' }).click();
  await page.getByText('It is being cancelled').waitFor();
  await eventually(() => freeOf(event), 10);
});

/** Records what the provider said. */
async function settle(page, outcome) {
  await page.getByRole('button', { name: 'Settle' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What the provider says').selectOption(outcome);
  await dialog.getByLabel('Reference').fill('transfer 4711');
  await dialog.getByLabel('Why do you do this?').fill('the bank said so by telephone');
  await dialog.getByRole('button', { name: 'Settle' }).click();
  await page.getByText('Recorded', { exact: true }).waitFor();
}

story('an operator mends a booking whose refund the bank refuses', {}, async ({ open }) => {
  const [event, sari] = [await concert({ capacity: 10 }), await buyer()];
  const { booking_id, booking } = await bookWith(sari, event, 'tok_refund_refused');
  await eventually(booking, 'confirmed');
  await api('POST', '/booking/cancel', { token: sari.token, body: { booking_id }, status: 202 });
  const page = await atConsole(open, '/console/stuck');
  const row = page.getByRole('listitem').filter({ hasText: booking_id });
  // The list renews itself.
  await row.getByText('Refund refused').waitFor({ timeout: 90_000 });
  await look(page, 'console-stuck');
  await row.getByRole('link').click();
  await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  await settle(page, 'Refunded: the buyer has the money back');
  await eventually(booking, 'cancelled');
  await eventually(() => freeOf(event), 10);
  await page.getByText('refunded', { exact: true }).first().waitFor();
  await look(page, 'console-mended');
});

story('an operator settles a payment of which the bank never answers', {}, async ({ open }) => {
  const [event, sari] = [await concert({ capacity: 10 }), await buyer()];
  const page = await atConsole(open, '/console/payments');
  const { booking_id } = await bookWith(sari, event, 'tok_never_arrives', { status: 202 });
  const row = page.getByRole('listitem').filter({ hasText: booking_id });
  await row.waitFor({ timeout: 90_000 });
  await look(page, 'console-unknown');
  await row.getByRole('link').click();
  await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  await settle(page, 'Declined: no money came');
  const payment = await api('GET', `/payment/status?booking_id=${booking_id}`, { token: sari.token });
  assert.equal(payment.attempts[0].outcome, 'declined', 'the buyer may pay with another card');
});

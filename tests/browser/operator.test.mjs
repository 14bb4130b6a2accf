// The console: an operator finds what waits, sees why, and ends it.
import { adminToken, api, bookingsOf, buyer, concert, DESK_TOP, eventually, freeOf, look, pay, signIn, story, toCheckout } from './harness.mjs';

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
  for (const name of ['Stuck bookings', 'Bookings under way', 'Dead letters', 'Parked messages', 'Differences', 'Audit']) {
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

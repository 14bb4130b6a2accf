// What a payment can do besides working: a decline, the bank's questions, the end of the window.
import { buyer, concert, eventually, freeOf, isConfirmed, look, pay, story, toCheckout } from './harness.mjs';

story('a declined card leaves the tickets held, and another card pays', { refusals: [402] }, async ({ open }) => {
  const page = await open();
  await toCheckout(page, await buyer(), await concert());
  await pay(page, 'Card without money');
  await page.getByText('Declined: there is not enough money on this card').waitFor();
  await page.getByText('2 attempts are left.').waitFor();
  await look(page, 'story-declined');
  await pay(page, 'Card that works');
  await isConfirmed(page);
});

story('a stolen card ends the booking, and the seats are free again', { refusals: [402, 409] }, async ({ open }) => {
  const event = await concert({ capacity: 10 });
  const page = await open();
  await toCheckout(page, await buyer(), event);
  await pay(page, 'Stolen card');
  await page.getByText('The payment did not work').waitFor();
  await eventually(() => freeOf(event), 10);
});

story('a bank that asks for a transfer shows the account', {}, async ({ open }) => {
  const page = await open();
  await toCheckout(page, await buyer(), await concert());
  await pay(page, 'Bank transfer');
  await page.getByText('Transfer to this account').waitFor();
  await look(page, 'story-transfer');
  await page.reload();
  await page.getByText('Transfer to this account').waitFor();
});

story('the payment window ends on the screen', {}, async ({ open }) => {
  const event = await concert({ capacity: 10 });
  const page = await open();
  await toCheckout(page, await buyer(), event);
  await page.getByText('The time to pay is over').waitFor();
  await look(page, 'story-expired');
  await eventually(() => freeOf(event), 10);
});

story('a slow bank is waited for', {}, async ({ open }) => {
  const page = await open();
  await toCheckout(page, await buyer(), await concert());
  await pay(page, 'Slow bank');
  await isConfirmed(page);
});

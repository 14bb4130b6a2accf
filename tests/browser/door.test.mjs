// The door: a ticket opens it once, whatever door it is shown at, and without a network too.
import { randomUUID } from 'node:crypto';
import { adminToken, api, bookingsOf, buyer, concert, eventually, look, signIn, story } from './harness.mjs';

/** A person with the role of the door. */
async function doorKeeper() {
  const person = await buyer('Doni Penjaga');
  await api('POST', '/user/role', { token: await adminToken(), body: { email: person.email, role: 'door', reason: 'stands at the door' } });
  return person;
}

/** The codes of a new buyer's tickets for a new, free event. */
async function ticketsOf(quantity) {
  const [event, sari] = [await concert({ price: 0 }), await buyer()];
  const items = [{ ticket_type_id: event.ticket_types[0].ticket_type_id, quantity }];
  await api('POST', '/booking/create', { token: sari.token, body: { event_id: event.event_id, items }, status: 202 });
  const [{ booking_id }] = await bookingsOf(sari);
  const booking = () => api('GET', `/bookings/${booking_id}`, { token: sari.token });
  await eventually(async () => (await booking()).status, 'confirmed');
  const { tickets } = await booking();
  return { event, codes: tickets.map(({ code }) => code) };
}

/** A browser at a gate of the event, with its whole list. */
async function standAt(open, event, gate, keeper) {
  const page = await open();
  await page.goto(`/door/${event.event_id}`);
  await signIn(page, keeper);
  await page.getByLabel('Name of this gate').fill(gate);
  await page.getByRole('button', { name: 'Open the door' }).click();
  await page.getByText(/List of/).waitFor();
  return page;
}

async function show(page, code) {
  await page.getByLabel('Type or scan a code').fill(code);
  await page.getByRole('button', { name: 'Check', exact: true }).click();
}

const told = (page, word) => page.getByRole('alertdialog', { name: word }).waitFor();
const next = (page) => page.getByRole('button', { name: 'Next', exact: true }).click();

story('two doors scan one ticket: one lets it in, the other says when and where', {}, async ({ open }) => {
  const [{ event, codes }, keeper] = [await ticketsOf(2), await doorKeeper()];
  const [north, south] = [await standAt(open, event, 'North', keeper), await standAt(open, event, 'South', keeper)];
  await look(north, 'door');
  await show(north, codes[0]);
  await told(north, 'Welcome');
  await look(north, 'door-welcome');
  await show(south, `https://karcis.example/tickets/${codes[0]}.svg`);
  await told(south, 'Already in');
  await south.getByText(/gate North/).waitFor();
  await look(south, 'door-already');
  await next(south);
  await show(south, randomUUID());
  await told(south, 'Unknown');
  await look(south, 'door-unknown');
  await next(south);
  await north.getByRole('button', { name: 'Undo' }).first().click();
  await show(south, codes[0]);
  await told(south, 'Welcome');
});

story('a door without a network goes by its list, and reports later what another door knew better', {}, async ({ open, errors }) => {
  const [{ event, codes }, keeper] = [await ticketsOf(3), await doorKeeper()];
  const [north, south] = [await standAt(open, event, 'North', keeper), await standAt(open, event, 'South', keeper)];
  await north.getByText('of 3 sold').waitFor();
  await north.context().setOffline(true);
  await north.getByText(/^Offline:/).waitFor();
  for (const code of codes.slice(0, 2)) {
    await show(north, code);
    await told(north, 'Welcome');
    await north.getByText('Checked by the list on this device', { exact: true }).waitFor();
    await next(north);
  }
  await show(north, codes[0]);
  await told(north, 'Already in');
  await next(north);
  await north.getByText('2 to report').waitFor();
  await look(north, 'door-offline');
  await show(south, codes[1]);
  await told(south, 'Welcome');
  await north.context().setOffline(false);
  await north.getByText('1 ticket should not have been let in').waitFor();
  await look(north, 'door-conflict');
  await north.getByRole('button', { name: 'Noted' }).click();
  await south.getByText('2', { exact: true }).waitFor();
  // The browser says of each request that no network answered it.
  errors.splice(0, errors.length, ...errors.filter((line) => !line.includes('ERR_INTERNET_DISCONNECTED')));
});

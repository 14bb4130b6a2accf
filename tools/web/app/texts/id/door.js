// @ts-check
// The texts of the door, in Indonesian.
export default {
  'door.title': 'Pintu',
  'door.soon': 'Bagian ini sedang dibuat',
};

// @ts-check
// The texts of the door, in English.
export default {
  'door.title': 'Door',
  'door.soon': 'This part is being built',
};

// @ts-check
// The texts of the console, in English.
export default {
  'console.title': 'Console',
  'console.soon': 'This part is being built',
};

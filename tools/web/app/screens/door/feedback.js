// @ts-check
// What one hears and feels at the door: a sound and a vibration for each result.
import { signal } from '../../core/html.js';

/** @import { Verdict } from './check-in.js' */

const MUTED = 'karcis.door.muted';

export const isMuted = signal(localStorage.getItem(MUTED) !== null);

export function switchSound() {
  isMuted.value = !isMuted.value;
  if (isMuted.value) localStorage.setItem(MUTED, '1');
  else localStorage.removeItem(MUTED);
}

/** Tones as hertz and seconds, one after another, and a vibration in ms. @type {Record<Verdict['result'], { tones: [number, number][], shakes: number[] }>} */
const FEEDBACK = {
  admitted: { tones: [[880, 0.09], [1320, 0.14]], shakes: [90] },
  already: { tones: [[440, 0.14], [440, 0.14], [440, 0.14]], shakes: [90, 70, 90, 70, 90] },
  cancelled: { tones: [[196, 0.45]], shakes: [450] },
  unknown: { tones: [[196, 0.45]], shakes: [450] },
};

/** @type {AudioContext | null} */
let audio = null;

/** Browsers allow sound only after a touch: call this in its handler. */
export function allowSound() {
  audio ??= new AudioContext();
  void audio.resume();
}

/** @param {Verdict['result']} result */
export function give(result) {
  const { tones, shakes } = FEEDBACK[result];
  navigator.vibrate?.(shakes);
  if (!audio || audio.state !== 'running' || isMuted.value) return;
  let at = audio.currentTime;
  for (const [hertz, seconds] of tones) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.25, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.04;
  }
}

// @ts-check
// Reads QR codes from the camera: by the browser itself where it can, else by a decoder that is loaded then.

/** How often a picture is looked at. */
const LOOK_EVERY_MS = 120;
/** The longer side of the picture that is looked at: a code held before a camera needs no more. */
const SIDE_PIXELS = 800;
/** The same code is not read again so soon: it is still before the camera. */
const SAME_AGAIN_MS = 4000;

/** @typedef {(video: HTMLVideoElement) => Promise<string | null>} Reader */

/** @returns {Promise<Reader>} */
async function ownReader() {
  const { default: decode } = await import(/** @type {any} */ ('qr/decode.js'));
  const canvas = document.createElement('canvas');
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  return async (video) => {
    const scale = Math.min(1, SIDE_PIXELS / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decode(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return null;
    }
  };
}

/** The reader of this browser, also without a network later. @returns {Promise<Reader>} */
export async function loadReader() {
  const Detector = /** @type {any} */ (globalThis).BarcodeDetector;
  const formats = Detector ? await Detector.getSupportedFormats().catch(() => []) : [];
  if (!formats.includes('qr_code')) return ownReader();
  const detector = new Detector({ formats: ['qr_code'] });
  return async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue ?? null;
}

/**
 * Shows the camera in `video` and says each code that it sees, until the returned function is called.
 * @param {HTMLVideoElement} video
 * @param {(code: string) => void} onCode
 */
export async function watchCamera(video, onCode) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } } });
  let isOn = true;
  let seen = { code: '', at: 0 };
  const stop = () => {
    isOn = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  try {
    const read = await loadReader();
    video.srcObject = stream;
    await video.play();
    void look(read);
  } catch (error) {
    stop();
    throw error;
  }
  /** @param {Reader} read */
  async function look(read) {
    while (isOn) {
      const code = video.readyState >= 2 && !document.hidden ? await read(video) : null;
      const isSame = code === seen.code && Date.now() - seen.at < SAME_AGAIN_MS;
      if (code) seen = { code, at: Date.now() };
      if (isOn && code && !isSame) onCode(code);
      await new Promise((done) => { setTimeout(done, LOOK_EVERY_MS); });
    }
  }
  return stop;
}

// @ts-check
// The camera's picture, and what to do where there is none.
import { html, useEffect, useRef, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Icon } from '../../parts/icons.js';
import { watchCamera } from './camera.js';
import { allowSound } from './feedback.js';

/** @param {{ onCode: (text: string) => void }} props */
export function Camera({ onCode }) {
  const [state, setState] = useState(/** @type {'off' | 'starting' | 'on' | 'refused' | 'none'} */ ('off'));
  const video = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const latest = useRef(onCode);
  latest.current = onCode;
  const isWanted = state === 'starting' || state === 'on';
  useEffect(() => {
    if (!isWanted || !video.current) return undefined;
    let isGone = false;
    /** @type {(() => void) | undefined} */
    let stop;
    watchCamera(video.current, (text) => latest.current(text)).then(
      (ready) => {
        stop = ready;
        if (isGone) stop();
        else setState('on');
      },
      (error) => { if (!isGone) setState(error.name === 'NotAllowedError' ? 'refused' : 'none'); },
    );
    return () => {
      isGone = true;
      stop?.();
    };
  }, [isWanted]);
  function start() {
    allowSound();
    setState(navigator.mediaDevices ? 'starting' : 'none');
  }
  return html`<div class=${`door-camera ${state}`}>
    <video ref=${video} muted playsinline hidden=${state !== 'on'} aria-label=${t('door.camera')} />
    ${state === 'on' && html`<span class="door-aim" aria-hidden="true" /><button type="button" class="button small" onClick=${() => setState('off')}>${t('door.camera-off')}</button>`}
    ${state === 'starting' && html`<span class="spinner big" role="status" aria-label=${t('loading')} />`}
    ${(state === 'off' || state === 'refused' || state === 'none') && html`<div class="door-start">
      <${Icon} name="qr" size=${56} />
      <p>${t(state === 'off' ? 'door.camera-text' : `door.camera-${state}`)}</p>
      <button type="button" class="button primary big" onClick=${start}>${t(state === 'off' ? 'door.camera-on' : 'retry')}</button>
    </div>`}
  </div>`;
}

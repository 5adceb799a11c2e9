// Files can be dropped on the page, and are looked at before they are sent. The widget that uploads
// has a hidden <input type=file>; a file is put into that, as if it had been chosen there. Nothing
// here sends anything anywhere else. Without this script the upload buttons still work.
(() => {
  if (window.nstAtelier) return;
  window.nstAtelier = true;
  const LIMIT = LARGEST_FILE;

  // When its page is left, Voila ends the kernel, if the page shows that it is from this server: by
  // sending back a cookie. Voila 0.5 does not set it, and then refuses; JupyterLab has its own.
  if (!/\b_xsrf=/.test(document.cookie)) {
    document.cookie = `_xsrf=${crypto.randomUUID?.() ?? Math.random()}; path=/; SameSite=Strict`;
  }

  const inputOf = (button) => { // the widget clicks its input when it is clicked
    let input = null;
    const click = HTMLInputElement.prototype.click;
    HTMLInputElement.prototype.click = function () { input = this; };
    button.dataset.atelier = 'asked';
    button.click();
    delete button.dataset.atelier;
    HTMLInputElement.prototype.click = click;
    return input;
  };

  const shrunk = async (file) => { // a photo that is too large to send: its longer side 2000 pixels
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    const scale = Math.min(1, 2000 / Math.max(bitmap.width, bitmap.height));
    const canvas = new OffscreenCanvas(bitmap.width * scale, bitmap.height * scale);
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
    return new File([blob], file.name, { type: 'image/jpeg' });
  };

  const say = (button, text) => {
    const line = button.closest('.atelier').querySelector('.atelier-notice .widget-html-content');
    line.innerHTML = '<div role="alert" class="atelier-alert"></div>';
    line.firstChild.textContent = '\u26a0 ' + text;
  };

  const give = async (button, file) => {
    if (file.size > LIMIT) {
      try {
        file = await shrunk(file);
      } catch {
        const size = `${(file.size / 1e6).toFixed(1)} MB; the page takes ${LIMIT / 1e6} MB`;
        say(button, `${file.name} has ${size}, and is no picture that the browser can make smaller.`);
        return;
      }
    }
    const files = new DataTransfer();
    files.items.add(file);
    const input = inputOf(button);
    input.files = files.files;
    input.dispatchEvent(new Event('change'));
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('.atelier-upload');
    if (!button || button.dataset.atelier) return;
    event.stopPropagation();
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = 'image/*';
    input.onchange = () => input.files[0] && give(button, input.files[0]);
    input.click();
  }, true);

  const tiles = (event) => { // where a file would go: beside the tiles of paintings, it is a photo
    const page = event.target.closest?.('.atelier');
    const over = event.target.closest?.('.atelier-tiles');
    return over ?? page?.querySelector('.atelier-drop-photo');
  };
  const mark = (box) => document.querySelectorAll('.atelier-tiles').forEach(
    (each) => each.classList.toggle('atelier-over', each === box));
  document.addEventListener('dragover', (event) => {
    const box = event.dataTransfer?.types.includes('Files') ? tiles(event) : null;
    if (box) event.preventDefault();
    mark(box);
  });
  document.addEventListener('dragleave', () => mark(null));
  document.addEventListener('drop', (event) => {
    const box = tiles(event), file = event.dataTransfer?.files[0];
    mark(null);
    if (!box || !file) return;
    event.preventDefault();
    event.stopPropagation();
    give(box.querySelector('.atelier-upload'), file);
  }, true);

  const beat = () => document.querySelectorAll('.atelier-beat').forEach((each) => each.click());
  setInterval(beat, 10000); // somebody is still looking

  new MutationObserver(() => { // a download begins by itself; its link stays
    const link = document.querySelector('.atelier-download:not([data-taken])');
    if (link) { link.dataset.taken = 'yes'; link.click(); }
  }).observe(document.body, { childList: true, subtree: true });
})();

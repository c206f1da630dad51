// Mouse, touch and keys; frames; the words around the picture; then the first drawing.
let waiting = false;
const redraw = () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw() });
};
const spin = (right, down) => {
  turned = times(about(0, down), times(about(1, right), turned));
  redraw();
};
const grow = factor => { zoom = Math.min(20, Math.max(.3, zoom * factor)); redraw() };

// One pointer turns, two zoom. A plain wheel scrolls the page; with Ctrl, or a pinch, it zooms.
const held = new Map();
canvas.onpointerdown = e => {
  canvas.setPointerCapture(e.pointerId);
  held.set(e.pointerId, [e.clientX, e.clientY]);
};
canvas.onpointerup = canvas.onpointercancel = e => held.delete(e.pointerId);
canvas.onpointermove = e => {
  const now = [e.clientX, e.clientY], last = held.get(e.pointerId);
  if (!last) return hover(e);
  held.set(e.pointerId, now);
  const other = [...held].filter(([id]) => id !== e.pointerId).map(([, at]) => at)[0];
  const gap = at => Math.hypot(at[0] - other[0], at[1] - other[1]) || 1;
  if (other) grow(gap(now) / gap(last));
  else spin((now[0] - last[0]) * .01, (now[1] - last[1]) * .01);
};
const hover = e => {
  const density = window.devicePixelRatio || 1, before = hovered;
  const at = ([x, y, r]) => Math.hypot(e.offsetX * density - x, e.offsetY * density - y) < r;
  hovered = balls.reduce((best, ball, i) => at(ball) && !(best >= 0 && balls[best][3] > ball[3]) ? i : best, -1);
  if (hovered !== before) redraw();
};
canvas.onpointerleave = () => { hovered = -1; redraw() };
canvas.addEventListener(`wheel`, e => {
  if (!e.ctrlKey && !e.metaKey) return;
  e.preventDefault();
  grow(Math.exp(-.003 * e.deltaY));
}, {passive: false});
canvas.ondblclick = () => { reset(); redraw() };
canvas.onkeydown = e => {
  const keys = {
    ArrowLeft: () => spin(-.1, 0), ArrowRight: () => spin(.1, 0), ArrowUp: () => spin(0, -.1), ArrowDown: () => spin(0, .1),
    "+": () => grow(1.1), "=": () => grow(1.1), "-": () => grow(1 / 1.1), Home: canvas.ondblclick, 0: canvas.ondblclick,
  };
  if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
  e.preventDefault();
  e.stopPropagation();
  keys[e.key]();
};

// Frames.
const slider = find(`input`), button = find(`button`);
const show = n => {
  shown = (n + frames.length) % frames.length;
  slider.value = shown;
  find(`output`).textContent = `${shown + 1} / ${frames.length}`;
  redraw();
};
let playing = 0;
const play = on => {
  clearInterval(playing);
  playing = on ? setInterval(() => show(shown + 1), 60) : 0;
  button.textContent = on ? `Pause` : `Play`;
};
button.onclick = () => play(!playing);
slider.oninput = () => { play(false); show(+slider.value) };
find(`#player`).hidden = frames.length < 2;
slider.max = frames.length - 1;

document.title = scene.alt;
canvas.setAttribute(`aria-label`, `${scene.alt}. Arrow keys turn it, plus and minus zoom, Home resets.`);
canvas.title = `Drag or arrow keys: turn. Ctrl + wheel, pinch, + or -: zoom. Double click: reset.`;
const legend = (words, style = ``) => {
  const part = find(`#legend`).appendChild(document.createElement(`span`));
  part.textContent = words;
  part.style = style;
};
for (const words of scene.legend) legend(words, `margin-right:12px`);
if (scene.map) {
  const [low, high, colours] = scene.map;
  legend(low);
  legend(``, `flex:0 1 120px;height:10px;border:1px solid #808080;background:linear-gradient(90deg,${colours})`);
  legend(high);
}
reset();
show(0);
new ResizeObserver(redraw).observe(canvas);
new IntersectionObserver(redraw).observe(canvas);  // notebooks set cells aside that are out of sight
if (host) {  // scripts run: take the place of the still picture, unless this page fails
  const still = host.previousElementSibling, page = host.ownerDocument;
  host.style.display = `block`;
  still.style.display = `none`;
  try { draw() } catch (error) {
    host.style.display = `none`;
    still.style.display = ``;
    throw error;
  }
  for (const node of [page.documentElement, page.body]) new MutationObserver(redraw).observe(node, {attributes: true});
}

// Draws `scene`, see scene.py: one frame, seen as `turned` and `zoom` say.
const find = what => document.querySelector(what);
const canvas = find(`canvas`), pen = canvas.getContext(`2d`);
const frames = [];
for (const changes of scene.frames) frames.push({...frames[frames.length - 1], ...changes});

// The page around this frame, if it lets us see it.
const host = (() => { try { return window.frameElement } catch { return null } })();

// Rotations: x to the right, y up, z towards you.
const about = (axis, angle) => {
  const i = (axis + 1) % 3, j = (axis + 2) % 3, m = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  m[i][i] = m[j][j] = Math.cos(angle);
  m[j][i] = Math.sin(angle);
  m[i][j] = -m[j][i];
  return m;
};
const apply = (m, v) => m.map(row => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]);
const times = (a, b) => {
  const columns = [0, 1, 2].map(k => apply(a, b.map(row => row[k])));
  return [0, 1, 2].map(i => columns.map(column => column[i]));
};
const plus = (a, b, f = 1) => a.map((x, k) => x + f * b[k]);
const triples = flat => Array.from({length: flat.length / 3}, (_, n) => flat.slice(3 * n, 3 * n + 3));

let turned, zoom, shown = 0, hovered = -1, balls = [];
const reset = () => {
  zoom = 1;
  turned = scene.turns.reduce((m, [axis, degrees]) => times(about(axis, degrees * Math.PI / 180), m),
                              [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
};

const mixed = (colour, other, part) => {
  const channel = k => {
    const [a, b] = [colour, other].map(c => parseInt(c.slice(2 * k + 1, 2 * k + 3), 16));
    return Math.round(a + (b - a) * part);
  };
  return `rgb(${channel(0)},${channel(1)},${channel(2)})`;
};
const dark = colour => {
  const [r, g, b] = [1, 3, 5].map(k => parseInt(colour.slice(k, k + 2), 16));
  return .3 * r + .59 * g + .11 * b < 140;
};

function draw() {
  const density = window.devicePixelRatio || 1;
  const w = canvas.clientWidth * density, h = canvas.clientHeight * density;
  if (!w || !h) return;  // out of sight
  canvas.width = w;  // which also clears it
  canvas.height = h;
  if (host) document.body.style.color = getComputedStyle(host).color;
  const frame = frames[shown], eye = scene.eye, [x, y] = scene.reach;
  const scale = .5 * zoom * Math.min(w / x, h / y, 1.3 * Math.min(w, h) / scene.radius);
  const turn = v => apply(turned, v);
  const nearness = v => eye / Math.max(eye - v[2], .1 * eye);
  const onto = v => [w / 2 + scale * v[0] * nearness(v), h / 2 - scale * v[1] * nearness(v)];
  const atoms = triples(frame.p).map(turn);
  const colours = atoms.map((_, i) => frame.c ? frame.c[i] : scene.elements[frame.z[i]][1]);
  const radii = atoms.map((_, i) => scene.elements[frame.z[i]][2]);
  const items = [];
  const add = (depth, paint) => items.push({depth, paint});

  // A bar from a to b, seen as a rounded stick.
  const bar = (a, b, thickness, colour) => add((a[2] + b[2]) / 2, () => {
    const [p, q] = [onto(a), onto(b)], long = Math.hypot(q[0] - p[0], q[1] - p[1]) || 1;
    const across = [(p[1] - q[1]) / long, (q[0] - p[0]) / long];
    const side = (point, v, f) => plus(point, across, f * thickness * scale * nearness(v));
    const fill = pen.createLinearGradient(...side(p, a, -1), ...side(p, a, 1));
    fill.addColorStop(0, mixed(colour, `#000000`, .5));
    fill.addColorStop(.35, mixed(colour, `#ffffff`, .25));
    fill.addColorStop(1, mixed(colour, `#000000`, .5));
    pen.fillStyle = fill;
    pen.beginPath();
    for (const [x, y] of [side(p, a, -1), side(q, b, -1), side(q, b, 1), side(p, a, 1)]) pen.lineTo(x, y);
    pen.fill();
  });
  // Half of a bond, from the surface of atom i to the middle.
  const half = (i, middle) => {
    const way = plus(middle, atoms[i], -1), part = .9 * radii[i] / Math.hypot(...way);
    if (part < 1) bar(plus(atoms[i], way, part), middle, 95, colours[i]);
  };
  for (let n = 0; n < frame.b.length; n += 2) {
    const [i, j] = frame.b.slice(n, n + 2), middle = plus(atoms[i], plus(atoms[j], atoms[i], -1), .5);
    half(i, middle);
    half(j, middle);
  }
  for (let n = 0; n < frame.w.length; n += 5) {
    const [i, j] = frame.w.slice(n, n + 2), shift = turn(frame.w.slice(n + 2, n + 5));
    const way = plus(plus(atoms[j], shift), atoms[i], -1);
    half(i, plus(atoms[i], way, .5));
    half(j, plus(atoms[j], way, -.5));
  }

  const text = (words, x, y, size, ink, halo) => {
    pen.font = `600 ${size}px system-ui, sans-serif`;
    pen.textAlign = `center`;
    pen.textBaseline = `middle`;
    pen.lineJoin = `round`;
    pen.lineWidth = size / 6;
    pen.strokeStyle = halo;
    pen.strokeText(words, x, y);
    pen.fillStyle = ink;
    pen.fillText(words, x, y);
  };
  balls = atoms.map((atom, i) => [...onto(atom), radii[i] * scale * nearness(atom), atom[2]]);
  balls.forEach(([x, y, r, depth], i) => add(depth, () => {
    const fill = pen.createRadialGradient(x - .35 * r, y - .4 * r, .05 * r, x - .1 * r, y - .1 * r, 1.15 * r);
    fill.addColorStop(0, mixed(colours[i], `#ffffff`, .8));
    fill.addColorStop(.4, colours[i]);
    fill.addColorStop(1, mixed(colours[i], `#000000`, .55));
    pen.fillStyle = fill;
    pen.strokeStyle = i === hovered ? `#d55e00` : `#808080`;
    pen.lineWidth = (i === hovered ? 3 : .8) * density;
    pen.beginPath();
    pen.arc(x, y, r, 0, 7);
    pen.fill();
    pen.stroke();
    if (!frame.t) return;
    const [ink, halo] = dark(colours[i]) ? [`#fff`, `#000`] : [`#000`, `#fff`];
    text(frame.t[i], x, y, Math.max(1.1 * r * Math.min(1, 2 / frame.t[i].length), 11 * density), ink, halo);
  }));

  // Arrows, from the atom's surface.
  triples(frame.f || []).map(turn).forEach((force, i) => {
    const long = Math.hypot(...force);
    if (long < 30) return;
    const start = plus(atoms[i], force, Math.min(1, radii[i] / long) * .9), end = plus(atoms[i], force, 1 + radii[i] / long);
    const neck = plus(end, force, -Math.min(350, .6 * long) / long);
    bar(start, neck, 60, `#d55e00`);
    add((neck[2] + end[2]) / 2 + 1, () => {
      const [p, q] = [onto(neck), onto(end)], wide = 170 * scale * nearness(neck) * Math.min(1, long / 500);
      const [dx, dy] = plus(q, p, -1), flat = Math.hypot(dx, dy) || 1;
      pen.fillStyle = `#d55e00`;
      pen.strokeStyle = `#6b2f00`;
      pen.lineWidth = .8 * density;
      pen.beginPath();
      pen.moveTo(...q);
      pen.lineTo(p[0] - dy / flat * wide, p[1] + dx / flat * wide);
      pen.lineTo(p[0] + dy / flat * wide, p[1] - dx / flat * wide);
      pen.closePath();
      pen.fill();
      pen.stroke();
    });
  });

  // The edges of the cell, in pieces, so that atoms hide what is behind them.
  const cell = triples(frame.cell), pieces = 8;
  cell.forEach((edge, k) => [[0, 0], [0, 1], [1, 0], [1, 1]].forEach(([f, g]) => {
    const from = plus(plus(frame.corner, cell[(k + 1) % 3], f), cell[(k + 2) % 3], g);
    for (let n = 0; n < pieces; n++) {
      const [a, b] = [n, n + 1].map(m => turn(plus(from, edge, m / pieces)));
      add((a[2] + b[2]) / 2, () => {
        pen.strokeStyle = `#808080`;
        pen.lineWidth = 1.2 * density;
        pen.beginPath();
        pen.moveTo(...onto(a));
        pen.lineTo(...onto(b));
        pen.stroke();
      });
    }
  }));

  items.sort((a, b) => a.depth - b.depth).forEach(item => item.paint());
  if (balls[hovered]) {
    pen.font = `${13 * density}px system-ui, sans-serif`;
    pen.textAlign = `left`;
    pen.textBaseline = `top`;
    pen.fillStyle = document.body.style.color || `#777`;
    pen.fillText(`${scene.elements[frame.z[hovered]][0]}, atom ${hovered}`, 6 * density, 6 * density);
  }
}

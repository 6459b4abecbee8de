// The feeder's one-line diagram: pointer, wheel, pinch and keyboard; what is under the pointer is told beside it.
(function () {
  'use strict';
  const feeder = (window.headroomFeeder = window.headroomFeeder || {});
  const LONGEST = 24;

  // Names in the inspector and the tables select what they name; "" is the whole feeder.
  document.addEventListener('click', function (event) {
    const press = event.target.closest && event.target.closest('[data-feeder-select]');
    if (press) window.headroom.select('feeder', press.getAttribute('data-feeder-select') || null);
  });

  feeder.hand = function (scene) {
    const host = scene.host, frame = scene.frame, pointers = new Map();
    let dragged = false, pinch = 0;

    function zoom(by, x, y) {
      const view = scene.view, k = Math.max(1, Math.min(LONGEST, view.k * by)), grow = k / view.k;
      view.x = k === 1 ? 0 : x - grow * (x - view.x);
      view.y = k === 1 ? 0 : y - grow * (y - view.y);
      view.k = k;
      feeder.fit(scene);
    }
    function inPane(event) {
      const pane = scene.panes.find(function (p) { return p.box.contains(event.target); }) || scene.panes[0];
      const box = pane.svg.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }
    const on = [];
    function listen(target, name, job, options) { target.addEventListener(name, job, options); on.push([target, name, job, options]); }

    listen(host, 'wheel', function (event) {
      if (!scene.panes) return;
      event.preventDefault();
      const at = inPane(event);
      zoom(Math.exp(-event.deltaY * 0.0016), at[0], at[1]);
    }, { passive: false });
    listen(host, 'pointerdown', function (event) {
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      dragged = false;
      pinch = 0;
    });
    listen(host, 'pointermove', function (event) {
      const before = pointers.get(event.pointerId);
      if (!before) { hover(event); return; }
      const dx = event.clientX - before[0], dy = event.clientY - before[1];
      if (pointers.size === 2) {
        pointers.set(event.pointerId, [event.clientX, event.clientY]);
        const both = Array.from(pointers.values());
        const apart = Math.hypot(both[0][0] - both[1][0], both[0][1] - both[1][1]);
        if (pinch) { const at = inPane(event); zoom(apart / pinch, at[0], at[1]); }
        pinch = apart;
        dragged = true;
        return;
      }
      if (!dragged && Math.hypot(dx, dy) < 4) return;
      if (!dragged && host.setPointerCapture) host.setPointerCapture(event.pointerId);
      dragged = true;
      tell(null);
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (scene.view.k > 1) { scene.view.x += dx; scene.view.y += dy; feeder.fit(scene); }
    });
    ['pointerup', 'pointercancel'].forEach(function (name) { listen(host, name, function (event) { pointers.delete(event.pointerId); }); });
    listen(host, 'pointerleave', function () { hover(null); });
    listen(host, 'click', function (event) {
      if (dragged || !scene.held) return;
      const found = under(event);
      if (!found) choose('');
      else if (found.bus !== undefined) { scene.focus = found.bus; choose('bus:' + scene.held.drawing.buses[found.bus][0]); }
      else choose('link:' + scene.held.drawing.links[found.link].n);
    });
    listen(frame, 'click', function (event) {
      const press = event.target.closest('[data-feeder-zoom]');
      if (press && scene.panes) {
        const what = press.getAttribute('data-feeder-zoom'), pane = scene.panes[0];
        if (what === 'fit') { scene.view = { k: 1, x: 0, y: 0 }; feeder.fit(scene); } else zoom(what === 'in' ? 1.5 : 1 / 1.5, pane.width / 2, pane.height / 2);
      }
      const scale = event.target.closest('[data-feeder-scale]');
      if (scale) { scene.whole = scale.getAttribute('data-feeder-scale') === 'day'; feeder.recolour(scene, false); }
    });
    const day = frame.querySelector('[data-feeder-day]');
    function toHour(event) {
      const box = day.getBoundingClientRect(), hours = scene.held.drawing.labels.length;
      const hour = Math.max(0, Math.min(hours - 1, Math.floor((event.clientX - box.left - 8) / ((box.width - 16) / hours))));
      if (hour !== scene.asked.hour) window.headroom.setProps(scene.page + '-hour', { value: hour });
    }
    listen(day, 'pointerdown', function (event) { if (scene.held) { day.setPointerCapture(event.pointerId); toHour(event); } });
    listen(day, 'pointermove', function (event) { if (scene.held && event.buttons) toHour(event); });
    listen(host, 'keydown', keys);
    listen(host, 'blur', function () { if (scene.panes) { tell(null); feeder.marks(scene); } });

    function choose(selection) { window.headroom.select(scene.page, selection || null); }

    // Under the pointer ------------------------------------------------------------------------------------
    function under(event) {
      const touch = event.target.closest && event.target.closest('[data-bus], [data-link]');
      if (!touch) return null;
      return touch.hasAttribute('data-bus') ? { bus: Number(touch.getAttribute('data-bus')) } : { link: Number(touch.getAttribute('data-link')) };
    }
    function hover(event) {
      const found = event && scene.panes ? under(event) : null;
      tell(found, event);
    }
    function tell(found, event, spot) {
      const tip = frame.querySelector('[data-feeder-tip]');
      if (!found) { tip.hidden = true; return; }
      const words = feeder.words(scene, found);
      tip.replaceChildren();
      const head = document.createElement('strong');
      head.textContent = words.title;
      tip.append(head);
      [words.note, words.what].filter(Boolean).forEach(function (text) {
        const note = document.createElement('span');
        note.className = 'hr-muted';
        note.textContent = text;
        tip.append(note);
      });
      words.rows.forEach(function (row) {
        const line = document.createElement('span'), name = document.createElement('span'), value = document.createElement('b');
        line.className = 'hr-feeder-tip-row';
        name.textContent = row[0];
        value.textContent = row[1];
        if (row[2]) { const chip = document.createElement('i'); chip.style.background = row[2]; line.append(chip); }
        line.append(name, value);
        tip.append(line);
      });
      tip.hidden = false;
      const box = frame.getBoundingClientRect(), size = tip.getBoundingClientRect();
      const x = spot ? spot[0] : event.clientX, y = spot ? spot[1] : event.clientY;
      const left = x - box.left + 14 + size.width > box.width ? x - box.left - size.width - 12 : x - box.left + 14;
      tip.style.left = Math.max(4, left) + 'px';
      tip.style.top = Math.max(4, Math.min(y - box.top + 12, box.height - size.height - 4)) + 'px';
    }

    // Keyboard -----------------------------------------------------------------------------------------------
    function keys(event) {
      if (!scene.panes || event.ctrlKey || event.metaKey || event.altKey) return;
      const drawing = scene.held.drawing, at = scene.focus === null ? drawing.source : scene.focus;
      let next = null;
      if (event.key === '+' || event.key === '=') { zoom(1.5, scene.panes[0].width / 2, scene.panes[0].height / 2); return; }
      if (event.key === '-') { zoom(1 / 1.5, scene.panes[0].width / 2, scene.panes[0].height / 2); return; }
      if (event.key === '0') { scene.view = { k: 1, x: 0, y: 0 }; feeder.fit(scene); return; }
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        if (event.shiftKey && drawing.buses[at][5] >= 0) choose('link:' + drawing.links[drawing.buses[at][5]].n);
        else choose('bus:' + drawing.buses[at][0]);
        return;
      }
      if (event.key === 'Escape' && scene.asked.selection) { event.stopPropagation(); choose(''); return; }
      const turned = scene.panes[0].places.turned;
      const key = turned ? ({ ArrowDown: 'ArrowRight', ArrowUp: 'ArrowLeft', ArrowRight: 'ArrowDown', ArrowLeft: 'ArrowUp' })[event.key] || event.key : event.key;
      if (key === 'ArrowLeft') next = drawing.buses[at][4];
      else if (key === 'ArrowRight') next = straight(at);
      else if (key === 'ArrowUp' || key === 'ArrowDown') next = nearest(at, key === 'ArrowUp' ? -1 : 1, turned);
      else if (key === 'Home') next = drawing.source;
      else if (key === 'End') { next = at; for (let on_ = straight(next); on_ >= 0; on_ = straight(next)) next = on_; } else return;
      event.preventDefault();
      if (next === null || next < 0) return;
      scene.focus = next;
      feeder.marks(scene);
      const pane = scene.panes[0], box = pane.svg.getBoundingClientRect(), p = pane.places.points[next];
      tell({ bus: next }, null, [box.left + p[0], box.top + p[1]]);
      frame.querySelector('[data-feeder-said]').textContent = said(next);
    }
    function straight(at) { // the bus below that stays nearest to its row
      const drawing = scene.held.drawing, row = drawing.buses[at][2];
      let best = -1;
      drawing.buses.forEach(function (bus, k) {
        if (bus[4] === at && (best < 0 || Math.abs(bus[2] - row) < Math.abs(drawing.buses[best][2] - row))) best = k;
      });
      return best;
    }
    function nearest(at, way, turned) {
      const points = scene.panes[0].places.points, cross = turned ? 0 : 1, main = 1 - cross;
      let best = -1, least = Infinity;
      points.forEach(function (p, k) {
        const off = way * (p[cross] - points[at][cross]);
        if (off < 1) return;
        const far = off + 2.2 * Math.abs(p[main] - points[at][main]);
        if (far < least) { least = far; best = k; }
      });
      return best;
    }
    function said(bus) {
      const words = feeder.words(scene, { bus: bus });
      return [words.title, words.note, words.what].concat(words.rows.map(function (row) { return row[0] + ' ' + row[1]; })).filter(Boolean).join(', ');
    }
    return function () { on.forEach(function (each) { each[0].removeEventListener(each[1], each[2], each[3]); }); };
  };

  // What is told of a bus or a link: the layer's values by phase, and what stands there.
  feeder.words = function (scene, found) {
    const drawing = scene.held.drawing, asked = scene.asked, told = drawing.layers[asked.layer], rows = [];
    const several = asked.names.length > 1;
    const of = function (name) { return several ? (name === 'on' ? 'with SVG, ' : 'without, ') : ''; };
    const add = function (name, member, value) {
      const text = feeder.written(value, told.digits) + (told.unit ? ' ' + told.unit : '');
      const shade = scene.scale && !scene.scale.none ? feeder.colour(scene.scale, asked.theme, value) : null;
      rows.push([of(name) + member, text, shade]);
    };
    const index = feeder.nodeIndex(scene);
    const one = found.bus !== undefined ? drawing.buses[found.bus] : drawing.links[found.link];
    asked.names.forEach(function (name) {
      const row = asked.layer === 'phases' ? null : scene.held.values(name, asked.layer, asked.hour);
      if (!row) return;
      if (told.of === 'link' && found.link !== undefined) {
        one.p.forEach(function (slot) { if (isFinite(row[3 * found.link + slot])) add(name, 'phase ' + 'abc'[slot], row[3 * found.link + slot]); });
      } else if (told.of === 'bus') {
        const at = drawing.whole.indexOf(found.bus !== undefined ? found.bus : one.t);
        if (at >= 0) add(name, 'VUF', row[at]);
      } else if (told.of === 'node') {
        const bus = found.bus !== undefined ? found.bus : one.t;
        index[bus].forEach(function (at, slot) { if (at >= 0) add(name, drawing.members[slot], row[at]); });
      }
    });
    const shown = several ? '' : { on: ', with SVG', off: ', without SVG', difference: ', with SVG less without' }[asked.names[0]] || '';
    const what = rows.length ? told.words + ', ' + drawing.labels[asked.hour] + shown : '';
    if (found.link !== undefined) {
      const note = [one.o ? 'open ' + one.k : one.k, 'phases ' + one.p.map(function (slot) { return 'abc'[slot]; }).join(''), one.r ? feeder.written(one.r, 0) + ' A' : one.s ? feeder.written(one.s, 0) + ' kVA' : 'no rating'];
      return { title: one.n, note: note.join(', ') + (told.of === 'node' ? '; at its lower end' : ''), what: what, rows: rows };
    }
    drawing.devices.forEach(function (device) {
      if (device.b !== found.bus) return;
      asked.names.forEach(function (name) {
        const series = device.v[name === 'difference' ? 'on' : name];
        if (!series || (device.t === 'svg' && name === 'off')) return;
        rows.push([of(name) + device.n, feeder.written(series[asked.hour], 0) + ' ' + device.u, null]);
      });
    });
    return { title: 'Bus ' + one[0], note: feeder.written(one[3], 2).replace(/0+$/, '').replace(/\.$/, '') + ' kV', what: what, rows: rows };
  };
})();

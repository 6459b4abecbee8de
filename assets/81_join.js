// Coming into an auction: a code and a name; then waiting until the host admits, or the seat at once.
(function () {
  'use strict';
  const headroom = window.headroom;
  const h = headroom.pane.h;

  headroom.room.page('join', function (root) {
    const place = root.querySelector('[data-part="join"]');
    const form = { code: place.dataset.code || '', name: '', busy: false, words: '', wrong: '', closed: null };
    let gone = false;

    function seat(auction) { window.location.assign('/auction/seat?auction=' + encodeURIComponent(auction)); }
    function answered(answer) {
      if (gone) return;
      const body = answer.body || {};
      form.busy = false;
      if (body.auction && ['admitted', 'waiting', 'watching', 'host'].indexOf(body.state) >= 0) {
        if (body.state === 'host') window.location.assign('/auction?auction=' + encodeURIComponent(body.auction));
        else if (body.state === 'watching') window.location.assign('/auction/watch?auction=' + encodeURIComponent(body.auction));
        else seat(body.auction);
        return;
      }
      form.wrong = answer.status === 404 ? 'code' : '';
      form.words = answer.status === 0 ? 'The server does not answer. Try again.'
        : body.detail ? body.detail.charAt(0).toUpperCase() + body.detail.slice(1) + '.'
          : body.state === 'full' ? 'All seats are taken. Ask the host for one, or watch.'
            : body.state === 'closed' ? 'This auction is over.' : 'The server answered with fault ' + answer.status + '. Try again.';
      draw();
      const box = place.querySelector(form.wrong ? '[name="' + form.wrong + '"]' : 'button');
      if (box) box.focus();
    }
    function send(event) {
      event.preventDefault();
      if (form.busy) return;
      form.words = !form.code.trim() ? 'Type the code that the host shows.' : !form.name.trim() ? 'Type the name that you want to bid under.' : '';
      form.wrong = !form.code.trim() ? 'code' : !form.name.trim() ? 'name' : '';
      if (form.words) { draw(); place.querySelector('[name="' + form.wrong + '"]').focus(); return; }
      form.busy = true;
      draw();
      headroom.room.send('/api/auctions/join', { code: form.code.trim(), name: form.name.trim() }).then(answered);
    }
    function field(name, label, note, more) {
      const wrong = form.wrong === name;
      return h('label', { class: 'hr-field', key: name },
        h('span', { class: 'hr-label' }, label),
        h('input', Object.assign({
          class: 'form-control hr-input hr-room-input', name: name, type: 'text', value: form[name], autocomplete: 'off',
          'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': wrong ? 'join-words' : undefined,
          on: { input: function (event) { form[name] = event.target.value; } },
        }, more)),
        note && h('span', { class: 'hr-room-note' }, note));
    }
    function draw() {
      headroom.pane.draw(place, h('form', { class: 'hr-join-form', novalidate: true, on: { submit: send } },
        h('h2', { class: 'hr-join-title' }, 'Join an auction'),
        h('p', { class: 'hr-muted' }, 'The code stands on the screen in the room, or in the invitation that you got.'),
        field('code', 'Code', null, { autocapitalize: 'characters', spellcheck: 'false', maxlength: 24 }),
        field('name', 'Your name', 'The host sees it, and so do all others where the auction shows who bids. Where bidding is anonymous, they never see it.', { autocomplete: 'nickname', maxlength: 60 }),
        h('p', { class: 'hr-field-message', id: 'join-words', role: 'alert' }, form.words),
        h('button', { class: 'hr-button hr-button-primary hr-room-press', type: 'submit', disabled: form.busy }, form.busy ? 'Joining' : 'Join')));
    }
    draw();

    // A personal link: its key stands behind the #, which is in no server's log.
    const key = new URLSearchParams(window.location.hash.slice(1)).get('key');
    if (key) {
      form.busy = true;
      form.words = 'Opening your seat';
      draw();
      window.history.replaceState(window.history.state, '', window.location.pathname);
      headroom.room.send('/api/auctions/join', { key: key }).then(answered);
    } else if (form.code) place.querySelector('[name="name"]').focus();
    return { draw: function () {}, gone: function () { gone = true; } };
  });
})();

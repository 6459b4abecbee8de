// From one round to the next: what became of my bids, and what of the form goes on. Kept in this window over a reload.
(function () {
  'use strict';
  const headroom = window.headroom, D = headroom.pane, B = headroom.bidding;

  function running(s) { return s.phase === 'open' || s.phase === 'paused'; }
  // What tells one open round from another: a round may begin again after a practice or an annulment.
  function roundKey(s) { return (running(s) ? 'open' : s.phase) + ' ' + s.turn; }

  // What the next snapshot is compared with. `sent` are the bids that are on their way, or were just acknowledged.
  function remember(seat) {
    const s = seat.snapshot, mine = seat.mine, acted = mine.acted, sent = seat.sent && seat.sent.turn === s.turn ? seat.sent.list : null;
    const list = sent || (acted ? acted.bids.map(function (bid) { return [bid.lot, bid.amount, bid.blocks]; }) : []);
    return {
      key: roundKey(s), turn: s.turn, round: s.round, practice: s.practice, running: running(s), stage: s.stage, waivers: mine.waivers, eligibility: mine.eligibility,
      held: mine.holdings.map(function (one) { return one.lot; }), bid: list.map(function (bid) { return bid[0]; }), sent: B.keyOf(list),
    };
  }

  // How the round of `before` ended: "closed", "annulled", "practice over", "begun" (none was open)
  function ending(before, s) {
    if (!before.running) return 'begun';
    if (before.practice !== s.practice || (before.practice && s.phase === 'set up')) return 'practice over';
    // Rounds may have closed while this device slept.
    if (s.results && s.results.round >= before.round && (s.round > before.round || !running(s))) return 'closed';
    return s.phase === 'cancelled' ? 'begun' : 'annulled';
  }
  // {notes, outbid} of a round that has ended
  function outcome(seat, before, names) {
    const s = seat.snapshot, mine = seat.mine, how = ending(before, s), found = { notes: [], outbid: [] };
    if (how === 'practice over') found.notes.push('The practice is over; nothing of it counts.');
    if (how === 'annulled') found.notes.push('The host annulled a round: round ' + s.round + ' begins again, with your holdings as they were before it. News tells the reason.');
    if (how !== 'closed') return found;
    const held = new Set(mine.holdings.map(function (one) { return one.lot; })), asked = Array.from(new Set(before.bid));
    const stand = asked.filter(function (id) { return held.has(id); });
    // Rounds may have closed while this device slept: all that was given back since then.
    const gone = Array.from(new Set((mine.withdrawals || []).filter(function (one) { return one.round >= before.round && before.held.indexOf(one.lot) >= 0 && !held.has(one.lot); }).map(function (one) { return one.lot; })));
    found.outbid = Array.from(new Set(before.held.concat(asked))).filter(function (id) { return !held.has(id) && gone.indexOf(id) < 0; });
    const words = [stand.length ? 'your bids stand on ' + names(stand) : '', found.outbid.length ? 'you were outbid on ' + names(found.outbid) : ''].filter(Boolean).join('; ');
    if (words) found.notes.push(words.charAt(0).toUpperCase() + words.slice(1) + '.');
    if (gone.length) found.notes.push('You withdrew ' + names(gone) + '.');
    if (mine.waivers < before.waivers) found.notes.push('A waiver was used; ' + D.number(mine.waivers) + ' left.');
    if (mine.eligibility < before.eligibility) found.notes.push('Your eligibility fell to ' + D.number(mine.eligibility) + ' units.');
    return found;
  }
  // What is told when a stage begins, with a round or within one; '' where none does.
  function stageBegins(seat, before) {
    const s = seat.snapshot, share = B.requiredShare(s);
    if (!s.activity_rule || !running(s) || share === null || s.stage <= before.stage) return '';
    return 'Stage ' + (s.stage + 1) + ' begins: activity on ' + D.percent(share) + ' of your eligibility is required, ' + D.number(seat.mine.required) + ' units.';
  }
  // The form of the next round: what was ticked and not sent stays ticked, no lower than the new minimum.
  function carried(seat, before) {
    const s = seat.snapshot, ticked = B.bids(seat), form = B.fresh(seat);
    if (!running(s) || before.practice !== s.practice || B.keyOf(ticked.list) === before.sent) return { form: form, left: 0 };
    let left = 0;
    ticked.list.forEach(function (bid) {
      const lot = seat.by.get(bid[0]).lot, room = B.free(seat, lot), list = B.choices(seat, lot);
      if (form.has(lot.id) || room <= 0) return;
      const amount = Math.max(bid[1], lot.minimum), fits = !list || list.indexOf(amount) >= 0;
      form.set(lot.id, { on: true, text: String(fits ? amount : lot.minimum), blocks: Math.min(bid[2], room) });
      left += 1;
    });
    return { form: form, left: left };
  }

  // In this window, until it is closed
  function place(seat) { return 'headroom-seat-' + seat.room.auction + '-' + seat.mine.bidder; }
  function keep(seat) {
    if (!seat.mine) return;
    try { window.sessionStorage.setItem(place(seat), JSON.stringify({ key: roundKey(seat.snapshot), form: Array.from(seat.form) })); } catch (error) { /* private window */ }
  }
  function kept(seat) { // the form of this very round, null without one
    try {
      const found = JSON.parse(window.sessionStorage.getItem(place(seat)));
      if (!found || found.key !== roundKey(seat.snapshot)) return null;
      return new Map(found.form.filter(function (pair) { return seat.by.has(pair[0]); }));
    } catch (error) { return null; }
  }

  Object.assign(B, { roundKey: roundKey, remember: remember, outcome: outcome, stageBegins: stageBegins, carried: carried, keep: keep, kept: kept });
})();

// One seek at a time, the last one wins: in Chromium a seek that overtakes another now and then never ends.
(() => {
  const due = new WeakMap(); // film: where it goes once its present seek has ended
  const known = new WeakSet();

  function know(film) {
    known.add(film);
    film.addEventListener("emptied", () => due.delete(film)); // another film took its place
    film.addEventListener("seeked", () => {
      if (!due.has(film)) return;
      film.currentTime = due.get(film);
      due.delete(film);
    });
  }

  window.inbetweenSeek = (film, moment) => {
    if (!known.has(film)) know(film);
    if (film.seeking || due.has(film)) due.set(film, moment); // between the end of a seek and its event, too
    else film.currentTime = moment;
  };
  window.inbetweenMoment = (film) => due.get(film) ?? film.currentTime; // where it is, or will be
})();

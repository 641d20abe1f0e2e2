// Pages that ask the server again and again say so when it does not answer, until it does.
(() => {
  const note = document.querySelector("[data-lost]");
  let leaving = 0; // going to another page breaks off what was asked for: that is no fault of the server
  const tell = (lost) => { if (!lost || Date.now() - leaving > 3000) note.hidden = !lost; };
  addEventListener("beforeunload", () => { leaving = Date.now(); });
  for (const name of ["htmx:sendError", "htmx:timeout", "inbetween:lost"]) document.addEventListener(name, () => tell(true));
  document.addEventListener("inbetween:found", () => tell(false));
  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => tell(detail.xhr.status >= 502 && detail.xhr.status <= 504)); // said by what stands before it
})();

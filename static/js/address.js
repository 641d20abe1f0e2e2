// What is after # in the address: several scripts of a page keep there what they show, each under names of its own.
window.inbetweenAddress = {
  read: () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : ""),
  write(own, words) { // words: [name, value] pairs; what is not among them any more is taken away
    const all = this.read();
    for (const name of own) all.delete(name);
    for (const [name, value] of words) all.set(name, value);
    const hash = all.toString().replaceAll("%2C", ",");
    history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
  },
};

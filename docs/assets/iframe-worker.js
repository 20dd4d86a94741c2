/* The search of a site that was opened from a folder. Browsers start no worker from file://, so its
   script runs in a hidden frame. Material's offline plugin would load a shim from the network. */
"use strict";
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      inside.IFrameWorker = this.constructor;
      inside.postMessage = (data) => {
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        this.onmessage?.(event);
      };
      this.ready = new Promise((loaded) => {
        const script = frame.contentDocument.createElement("script");
        script.src = url;
        script.onload = () => loaded(inside);
        frame.contentDocument.body.append(script);
      });
      this.terminate = () => frame.remove();
    }

    postMessage(data) {
      this.ready.then((inside) => inside.dispatchEvent(new inside.MessageEvent("message", { data })));
    }
  };
}

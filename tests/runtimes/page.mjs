// The program in a page.
import * as genspan from "genspan";
import { run } from "./program.mjs";

run(genspan, location.origin).then((errors) => {
  document.title = `errors: ${errors}`;
});

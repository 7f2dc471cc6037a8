import "./style/base.css";
import "./style/panes.css";
import "./style/span.css";
import { render } from "preact";
import { start } from "./state.js";
import { App } from "./ui/App.js";

start();
render(<App />, document.getElementById("app")!);

import { useMonaco } from "@graphiql/react";
import { useEffect } from "react";

/**
 * Wraps long lines in all editors. GraphiQL wraps those of answers only; the others stay scrolled
 * to the end of a long line when another tab fills them. It has no option for it, and the editors
 * are made by components inside of it: this one has to be inside too, and shows nothing.
 */
export function WrappedLines() {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    if (!monaco) return undefined;
    const wrap = (editor) => editor.updateOptions({ wordWrap: "on" });
    monaco.editor.getEditors().forEach(wrap);
    const listening = monaco.editor.onDidCreateEditor(wrap);
    return () => listening.dispose();
  }, [monaco]);
  return null;
}

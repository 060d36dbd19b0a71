"""Questions: what is asked of a store.  Reads only; each answer is one document, which every reader of it shares."""

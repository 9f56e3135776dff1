/** Hands something to the browser as a file. */
export function saveFile(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** A file as an operation answers it. */
interface AnsweredFile {
  readonly file_name: string;
  readonly media_type: string;
  readonly content_base64: string;
}

export function saveAnswered({ content_base64: content, file_name: name, media_type: type }: AnsweredFile): void {
  const bytes = Uint8Array.from(atob(content), (char) => char.codePointAt(0) ?? 0);
  saveFile(name, new Blob([bytes], { type }));
}

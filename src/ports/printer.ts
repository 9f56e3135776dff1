import { createRequire } from 'node:module';
import type { PrintedReceipt } from '../domain/receipt/compose.ts';
import type { Printer } from './ports.ts';

const { resolve } = createRequire(import.meta.url);
/** Letters of most scripts that are written from left to right; what it lacks is drawn as a box. */
const REGULAR = 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf';
const BOLD = 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf';

const MARGIN = 56;
const GREY = '#555555';
const LINE = '#cccccc';
/** On white it is read easily, and on a printer without colours it is dark. */
const ALARM = '#b00020';

/** Draws documents as PDF/A4. The library is loaded with the first one: it takes 35 MB and a third of a second. */
export const pdfPrinter: Printer = {
  async print(document) {
    const { default: PDFDocument } = await import('pdfkit');
    const { title, number, mark, createdAt, language } = document;
    const pdf = new PDFDocument({
      size: 'A4',
      margin: MARGIN,
      lang: language,
      tagged: true,
      displayTitle: true,
      info: {
        Title: [mark?.text, title, number].filter(Boolean).join(' '),
        CreationDate: createdAt,
        ModDate: createdAt,
        Producer: 'hero-onboarding',
      },
    });
    const chunks: Buffer[] = [];
    const ended = new Promise<void>((done, fail) => {
      pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
      pdf.on('end', done);
      pdf.on('error', fail);
    });
    pdf.registerFont('regular', resolve(REGULAR));
    pdf.registerFont('bold', resolve(BOLD));
    draw(pdf, document);
    pdf.end();
    await ended;
    return Buffer.concat(chunks);
  },
};

type Page = PDFKit.PDFDocument;

function draw(pdf: Page, document: PrintedReceipt): void {
  const width = pdf.page.width - 2 * MARGIN;
  const half = width / 2;
  const marked = (tag: string, write: () => void): void => {
    pdf.addStructure(pdf.struct(tag, {}, [write]));
  };
  if (document.mark !== null) stamp(pdf, marked, document.mark, width);
  marked('H1', () => void pdf.font('bold').fontSize(20).fillColor('black').text(document.title, MARGIN, pdf.y));
  marked('P', () => void pdf.font('regular').fontSize(11).fillColor(GREY).text(document.number));
  const top = pdf.y + 24;
  const bottoms = document.parties.map(({ heading, lines }, index) => {
    const x = MARGIN + index * half;
    const column = { width: half - 16 };
    marked('H2', () => void pdf.font('bold').fontSize(9).fillColor(GREY).text(heading, x, top, column));
    marked(
      'P',
      () =>
        void pdf
          .font('regular')
          .fontSize(10)
          .fillColor('black')
          .text(lines.join('\n'), x, top + 15, column),
    );
    return pdf.y;
  });
  pdf.y = Math.max(...bottoms) + 20;
  for (const [label, text] of document.facts) pair(pdf, marked, label, text, half);
  pdf.y += 16;
  rule(pdf, width);
  for (const [text, amount] of document.rows) line(pdf, marked, { text, amount, font: 'regular', width });
  rule(pdf, width);
  for (const [text, amount] of document.sums) line(pdf, marked, { text, amount, font: 'regular', width });
  const [text, amount] = document.total;
  line(pdf, marked, { text, amount, font: 'bold', width });
}

/** A frame that cannot be overlooked, before everything else. */
function stamp(pdf: Page, marked: Marked, { text, why }: NonNullable<PrintedReceipt['mark']>, width: number): void {
  const top = pdf.y;
  const inner = { width: width - 24, align: 'center' } as const;
  marked('P', () => {
    pdf
      .font('bold')
      .fontSize(15)
      .fillColor(ALARM)
      .text(text, MARGIN + 12, top + 10, inner);
    pdf.font('regular').fontSize(9).text(why, inner);
  });
  const bottom = pdf.y + 8;
  pdf
    .rect(MARGIN, top, width, bottom - top)
    .lineWidth(1.5)
    .strokeColor(ALARM)
    .stroke();
  pdf.y = bottom + 18;
}

type Marked = (tag: string, write: () => void) => void;

function pair(pdf: Page, marked: Marked, label: string, text: string, half: number): void {
  const { y } = pdf;
  marked('P', () => {
    pdf.font('regular').fontSize(9).fillColor(GREY).text(label, MARGIN, y, { width: 120 });
    pdf
      .fontSize(9)
      .fillColor('black')
      .text(text, MARGIN + 128, y, { width: 2 * half - 128 });
  });
  pdf.y += 4;
}

interface Line {
  readonly text: string;
  readonly amount: string;
  readonly font: 'regular' | 'bold';
  readonly width: number;
}

function line(pdf: Page, marked: Marked, { text, amount, font, width }: Line): void {
  const { y } = pdf;
  marked('P', () => {
    pdf
      .font(font)
      .fontSize(11)
      .fillColor('black')
      .text(text, MARGIN, y, { width: width - 130 });
    const { y: after } = pdf;
    pdf.text(amount, MARGIN + width - 130, y, { width: 130, align: 'right' });
    pdf.y = Math.max(after, pdf.y) + 6;
  });
}

function rule(pdf: Page, width: number): void {
  const y = pdf.y + 2;
  pdf
    .moveTo(MARGIN, y)
    .lineTo(MARGIN + width, y)
    .lineWidth(0.7)
    .strokeColor(LINE)
    .stroke();
  pdf.y = y + 8;
}

"""A master and a notebook's cells in; which of the master's cells each of them is out.

A cell is known by its metadata, else by its content, else by its place.
"""

from bncourse.grading.core.names import letters_of, lines_of
from bncourse.grading.core.records import Master, MasterCell
from bncourse.grading.submissions.notebooks import RawCell, RawNotebook
from bncourse.grading.submissions.said import is_assignments, is_tools, text_in_code, text_in_comments
from bncourse.grading.submissions.same_code import binds, is_unnamed, parsed, released, same, same_code, spoken_of


class FoundCells:
    """The cells of a notebook, and whose each of them is.

    Parameters
    ----------
    master : Master
    notebook : RawNotebook
    """

    def __init__(self, master: Master, notebook: RawNotebook) -> None:
        self.master = master
        self.known = {cell.grade_id: cell for cell in master.cells}
        self.order = {cell.grade_id: number for number, cell in enumerate(master.cells)}
        self.repairs = list(dict.fromkeys(notebook.repairs))
        cells = [cell for cell in notebook.cells if cell.cell_type != "markdown" or not is_tools(cell.source)]
        self.notebook = notebook._replace(cells=self._as_texts(cells))
        self.owner: list[str] = [self._named(cell) for cell in self.notebook.cells]
        self.shared = master.shared
        self._parsed: dict[int, str | None] = {}
        self.written = [cell.grade_id for cell in master.cells if cell.kind == "written"]
        self.by_name = sum(1 for name in self.owner if name and self.known[name].kind != "text")
        """How many cells of code and of answers are known by their metadata."""

    def find(self) -> None:
        """Give every cell that can be known its owner."""
        self._find_the_lost()
        self._find_the_texts()
        self._find_by_place()
        self._find_the_written()

    def _named(self, cell: RawCell) -> str:
        name = cell.facts.get("grade_id") if cell.facts else cell.name
        return name if isinstance(name, str) and name in self.known else ""

    def _as_texts(self, cells: list[RawCell]) -> tuple[RawCell, ...]:
        """The cells, of which those of code that only say a text are texts.

        Those of comments are so where the assignment's own texts are written in comments.
        """
        said = [text_in_code(cell.source) if self._may_say(cell) else None for cell in cells]
        commented = [text_in_comments(cell.source) if self._may_say(cell) else None for cell in cells]
        if any(text is not None and is_assignments(self.master, text) for text in commented):
            said = [text if text is not None else comment for text, comment in zip(said, commented, strict=True)]
        return tuple(
            cell if text is None else cell._replace(cell_type="markdown", source=text)
            for cell, text in zip(cells, said, strict=True)
        )

    def _may_say(self, cell: RawCell) -> bool:
        return cell.cell_type == "code" and not self._named(cell)

    def _find_the_lost(self) -> None:
        """Give cells without metadata to the master's cell whose text or whose definitions they hold."""
        found = set(self.owner)
        for cell in self.master.cells:
            if cell.grade_id in found or cell.kind in ("text", "written"):
                continue
            places = [
                place for place in range(len(self.owner)) if not self.owner[place] and self._resembles(cell, place)
            ]
            for place in places if cell.kind == "answer" else places[:1]:
                self.owner[place] = cell.grade_id
                if not is_unnamed(cell):
                    self.repairs.append(f"cell {cell.grade_id} had lost its metadata and was known by its content")

    def _find_the_texts(self) -> None:
        """Know the assignment's own text by what it says, whole or in parts: tools give cells new names."""
        texts = self.master.text_lines
        for place, raw in enumerate(self.notebook.cells):
            if self.owner[place] or raw.cell_type != "markdown" or not raw.source.strip():
                continue
            if is_assignments(self.master, raw.source):
                said, letters = lines_of(raw.source), letters_of(raw.source)
                whole = [name for name in texts if letters in letters_of(self.known[name].source)]
                self.owner[place] = max(whole or texts, key=lambda name: len(said & texts[name]))

    def _find_the_written(self) -> None:
        """Give a written answer that has lost its metadata the text that stands in its place."""
        found = set(self.owner)
        for name in self.written:
            if name in found:
                continue
            for place in self.between(name):
                if not self.owner[place] and self.notebook.cells[place].cell_type == "markdown":
                    self.owner[place] = name
                    self.repairs.append(f"cell {name} had lost its metadata and was known by its place")
                    break

    def between(self, name: str) -> range:
        """The places between the master's cells around one."""
        number = self.order[name]
        known_before = [other for other in self.owner if other and self.order[other] < number]
        nearest = max(known_before, key=self.order.__getitem__, default=None)
        first = max((place for place, other in enumerate(self.owner) if other == nearest), default=-1) + 1
        after = (place for place in range(first, len(self.owner)) if self._stands_behind(place, number))
        return range(first, next(after, len(self.owner)))

    def _stands_behind(self, place: int, number: int) -> bool:
        return bool(self.owner[place]) and self.order[self.owner[place]] > number

    def _find_by_place(self) -> None:
        """Give an answer that is still lost the code that stands in its place and binds a part of its names.

        That is an answer left unfinished, or one that Python cannot read.
        """
        found = set(self.owner)
        for cell in self.master.cells:
            if cell.kind != "answer" or cell.grade_id in found:
                continue
            for place in self.between(cell.grade_id):
                raw = self.notebook.cells[place]
                if raw.cell_type == "code" and not self.owner[place] and self._fits(cell, raw):
                    self.owner[place] = cell.grade_id
                    self.repairs.append(f"cell {cell.grade_id} had lost its metadata and was known by its place")

    def _fits(self, cell: MasterCell, raw: RawCell) -> bool:
        return bool(binds(cell.source) & spoken_of(raw.source)) or same(raw.source, released(cell).source)

    def _resembles(self, cell: MasterCell, place: int) -> bool:
        raw = self.notebook.cells[place]
        if not raw.source.strip():
            return False
        as_released = released(cell).source
        code = cell.kind in ("given", "test") and self._parsed_at(place) == parsed(as_released)
        with_magics = cell.kind == "given" and "get_ipython" in as_released and same_code(raw.source, as_released)
        if same(raw.source, as_released) or code or with_magics:
            return as_released not in self.shared
        wanted = binds(cell.source) if cell.kind == "answer" else frozenset()
        return bool(wanted) and wanted <= binds(raw.source)

    def _parsed_at(self, place: int) -> str | None:
        """The parsed code of a cell, as text; each cell is parsed once, however many they are."""
        if place not in self._parsed:
            raw = self.notebook.cells[place]
            self._parsed[place] = parsed(raw.source) if raw.cell_type == "code" else None
        return self._parsed[place]

"""The ceilings, and how the figures stand to them."""

# A ceiling that a figure leaves so much of free says little.
LOOSE = 0.9


class Ceilings:
    """Lines of a name and a number of bytes; `rustc` names the compiler that they are for."""

    def __init__(self, path):
        self.path, self.compiler, self.bytes = path, "", {}
        for line in path.read_text().splitlines():
            name, _, value = line.partition("#")[0].strip().rpartition(" ")
            if name.strip() == "rustc":
                self.compiler = value
            elif name:
                self.bytes[name.strip()] = int(value)

    def compare(self, figures, compiler):
        """Prints a table; gives what is wrong."""
        print(f"{'bytes':34} {'measured':>9} {'ceiling':>9}")
        faults, loose = [], []
        for name, measured in figures.items():
            ceiling = self.bytes.get(name)
            print(f"{name:34} {measured:9,} {'none' if ceiling is None else f'{ceiling:,}':>9}")
            if ceiling is None:
                faults.append(f"{self.path.name} has no ceiling for {name}, which is {measured}")
            elif measured > ceiling:
                faults.append(f"{name}: {measured} bytes are over the ceiling of {ceiling}")
            elif measured < ceiling * LOOSE:
                loose.append(f"{name}: the ceiling of {ceiling} is far above {measured}: lower it")
        faults += [f"{self.path.name}: nothing is {name}" for name in self.bytes if name not in figures]
        if compiler != self.compiler:
            print(f"the ceilings are for rustc {self.compiler}: with this one they bind nobody")
            return []
        for line in loose:
            print(line)
        return faults

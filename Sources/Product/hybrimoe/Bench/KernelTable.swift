import CPUCompute
import OrderedJSON
import Tensors

/// What `bench --kernels` prints: the speed of every element type's products and of the other kernels,
/// beside the ceilings of the same run.
struct KernelTable {
  private let meter: KernelMeter
  private let compute: CPUBackend
  private let ceilings: Ceilings
  private let products: [KernelMeter.ProductSpeed]
  private let others: [KernelMeter.OtherSpeed]

  /// Measures.
  /// - Parameter setByteCount: see `KernelMeter`.
  init(
    _ compute: CPUBackend, repetitions: Int, setByteCount: Int = 512 << 20, console: Console
  ) throws {
    self.compute = compute
    let ceilings = CeilingMeter(compute, memory: try CeilingMemory())
    let meter = KernelMeter(
      compute, setByteCount: setByteCount, repetitions: repetitions, ceilings: ceilings)
    let types = ElementType.allCases.filter(\.isReadable)
    let progress = console.progress("Measuring")
    products = try types.enumerated().compactMap { index, type in
      defer { progress.update(index + 1, of: types.count + 1) }
      return try meter.products(of: type)
    }
    others = try meter.others()
    progress.finish()
    self.meter = meter
    self.ceilings = ceilings.ceilings
  }

  /// What a type's products are compared with: those of F32 activations multiply floats.
  private func peak(_ type: ElementType) -> Double? {
    switch type {
    case .f32, .f16, .bf16: ceilings.floatGOPS
    default: ceilings.productGOPS
    }
  }

  var text: String {
    let counts = meter.tokenCounts
    var table = TextTable(
      [
        ("type", .left), ("matrix", .left), ("packing", .right), ("GB/s", .right),
        ("of reads", .right),
      ] + counts.map { ("\($0)", .right) })
    for speed in products {
      let peak = peak(speed.type)
      table.add(
        [
          speed.type.name, "\(speed.rowCount) × \(speed.columnCount)",
          HumanUnits.fixed(speed.packingGBps, 1), HumanUnits.fixed(speed.readGBps, 1),
          BenchmarkReport.share(speed.readGBps, of: ceilings.readGBps),
        ]
          + speed.productGOPS.map {
            HumanUnits.fixed($0, 0) + " (" + BenchmarkReport.share($0, of: peak) + ")"
          })
    }
    var rest = TextTable([
      ("kernel", .left), ("GB/s", .right), ("GOPS", .right), ("of F32 peak", .right),
    ])
    for speed in others {
      rest.add(
        speed.name, HumanUnits.fixed(speed.readGBps, 1),
        speed.floatGOPS.map { HumanUnits.fixed($0, 0) } ?? "",
        speed.floatGOPS.map { BenchmarkReport.share($0, of: ceilings.floatGOPS) } ?? "")
    }
    return BenchmarkReport.words(
      threadCount: compute.threadCount, instructionSet: compute.instructionSet.rawValue)
      + BenchmarkReport.words(ceilings)
      + "\nthe best of \(meter.repetitions) passes, as for the ceilings; GB/s: packed weights read for "
      + "one token; packing: bytes of the file; 1, 2, …: GOPS with so many tokens a matrix\n"
      + table.text + "\n" + rest.text
  }

  var json: JSONValue {
    .object([
      ("processor", .string(Processor.name)), ("threads", .integer(compute.threadCount)),
      ("instructionSet", .string(compute.instructionSet.rawValue)),
      ("version", .string(Version.short)), ("ceilings", BenchmarkReport.json(ceilings)),
      (
        "products",
        .array(
          products.map { speed in
            .object([
              ("type", .string(speed.type.name)), ("rows", .integer(speed.rowCount)),
              ("columns", .integer(speed.columnCount)),
              ("packingGigabytesPerSecond", .double(speed.packingGBps)),
              ("gigabytesPerSecond", .double(speed.readGBps)),
              (
                "gigaoperationsPerSecond",
                .object(
                  zip(meter.tokenCounts, speed.productGOPS).map { ("\($0)", .double($1)) })
              ),
            ])
          })
      ),
      (
        "others",
        .array(
          others.map { speed in
            .object([
              ("kernel", .string(speed.name)), ("gigabytesPerSecond", .double(speed.readGBps)),
              ("gigaoperationsPerSecond", speed.floatGOPS.map(JSONValue.double) ?? .null),
            ])
          })
      ),
    ])
  }
}

import CKernels
import HostMemory

/// The inputs of a batch of products in the form that their weights' types ask for. Each activation is
/// quantised once, however many products read it; one that keeps records keeps these.
struct QuantizedInputs {
  private var inputs: [RowRecords] = []
  private var done: [(base: UnsafeMutablePointer<Float>, width: Int, records: RowRecords)] = []

  /// - Parameters:
  ///   - products: what each product reads, and the width that it asks for.
  ///   - earlier: other inputs of the same batch.
  /// - Throws: `HostMemoryError.cannotAllocate`.
  init(
    _ products: some Sequence<(ProductInput, Int)>, after earlier: QuantizedInputs? = nil,
    compute: CPUBackend
  ) throws {
    var missing: [(Activation, RowRecords)] = []
    for (input, width) in products {
      switch input {
      case .records(let records): inputs.append(records)
      case .activation(let x):
        if width == 0 {
          inputs.append(RowRecords(x))
        } else if let known = known(x, width) ?? earlier?.known(x, width) {
          inputs.append(known)
        } else {
          let (records, isCurrent) = try place(x, width, compute)
          if !isCurrent { missing.append((x, records)) }
          done.append((x.base, width, records))
          inputs.append(records)
        }
      }
    }
    compute.quantize(missing)
  }

  /// The records of an activation that another product of the batch reads too.
  private func known(_ x: Activation, _ width: Int) -> RowRecords? {
    done.first {
      $0.base == x.base && $0.width == width && $0.records.rowCount == x.rowCount
        && $0.records.columnCount == x.columnCount
    }?.records
  }

  func records(of product: Int) -> RowRecords { inputs[product] }

  /// Where the records of an activation are or will be, and whether they are there already.
  private mutating func place(
    _ x: Activation, _ width: Int, _ compute: CPUBackend
  ) throws -> (RowRecords, isCurrent: Bool) {
    if let set = x.records, let records = x.records(ofWidth: width) {
      if set.isCurrent(width) { return (records, true) }
      if x.rowCount == set.records(ofWidth: width).rowCount {
        set.want(width)
        return (records, false)
      }
    }
    let records = try compute.inputs.takeRecords(
      rows: x.rowCount, columns: x.columnCount, width: width)
    return (records, false)
  }
}

extension CPUBackend {
  /// Rows of activations as records, all of them in one parallel region.
  func quantize(_ work: [(x: Activation, records: RowRecords)]) {
    guard !work.isEmpty else { return }
    let rowCount = work.reduce(0) { $0 + $1.x.rowCount }
    let widest = work.reduce(0) { max($0, $1.x.columnCount) }
    forEachRow(count: rowCount, width: widest) { row in
      var row = row
      var index = 0
      while row >= work[index].x.rowCount {
        row -= work[index].x.rowCount
        index += 1
      }
      quantize(work[index].x, row, into: work[index].records)
    }
  }

  /// One row as a record, on the calling thread.
  func quantize(_ x: Activation, _ row: Int, into records: RowRecords) {
    kernels.quantize(
      x.row(row), x.columnCount, records.width, 0, x.columnCount / records.width, records.row(row))
  }
}

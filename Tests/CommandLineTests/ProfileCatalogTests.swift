import Experts
import Placement
import TestSupport
import Testing

@testable import hybrimoe

struct ProfileCatalogTests {
  private let catalog = ProfileCatalog(environment: [:])

  @Test(arguments: ProfileCatalog.Kind.allCases)
  func `the program carries every profile of the repository`(_ kind: ProfileCatalog.Kind) throws {
    #expect(catalog.names(kind) == (try profileNames(in: kind.rawValue)))
  }

  @Test func `every machine goes with every host`() throws {
    for machine in catalog.names(.machines) {
      #expect(try catalog.machine(machine).costModel.link.bytesPerMicrosecond > 0)
      for host in catalog.names(.hosts) {
        #expect(try catalog.machine("\(machine)+\(host)").name == "\(machine)+\(host)")
      }
    }
  }

  @Test func `a slip in a name gets a suggestion`() {
    #expect {
      try catalog.shape("mixtral-8x7")
    } throws: { error in
      "\(error)".contains("Is 'mixtral-8x7b' meant?")
    }
  }
}

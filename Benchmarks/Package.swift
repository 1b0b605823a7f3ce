// swift-tools-version: 6.3
import PackageDescription

// Benchmarks live apart, so that building the program never builds them:
//   swift run -c release --package-path Benchmarks SchedulingBenchmark
let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "hybrimoe", path: "..")],
  targets: [
    .target(name: "CAllocationCount"),
    .executableTarget(
      name: "SchedulingBenchmark",
      dependencies: [
        "CAllocationCount",
        .product(name: "HybriMoEScheduling", package: "hybrimoe"),
        .product(name: "HybriMoETestSupport", package: "hybrimoe"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c2x
)

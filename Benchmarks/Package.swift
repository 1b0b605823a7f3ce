// swift-tools-version: 6.3
import PackageDescription

// Benchmarks live apart, so that building the program never builds them:
//   swift run -c release --package-path Benchmarks SchedulingBenchmark
//   swift run -c release --package-path Benchmarks PolicyBenchmark
//   swift run -c release --package-path Benchmarks ThreadBenchmark
//   swift run -c release --package-path Benchmarks SamplingBenchmark
let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "hybrimoe", path: "..")],
  targets: [
    .target(name: "CAllocationCount"),
    .target(name: "BenchmarkSupport", swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "SchedulingBenchmark",
      dependencies: [
        "BenchmarkSupport", "CAllocationCount",
        .product(name: "HybriMoEPolicy", package: "hybrimoe"),
        .product(name: "HybriMoETestSupport", package: "hybrimoe"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "PolicyBenchmark",
      dependencies: [
        "BenchmarkSupport", "CAllocationCount",
        .product(name: "HybriMoEPolicy", package: "hybrimoe"),
        .product(name: "HybriMoETestSupport", package: "hybrimoe"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "ThreadBenchmark",
      dependencies: [
        "BenchmarkSupport", .product(name: "HybriMoECompute", package: "hybrimoe"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "SamplingBenchmark",
      dependencies: [
        "BenchmarkSupport", "CAllocationCount",
        .product(name: "HybriMoESampling", package: "hybrimoe"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c2x
)

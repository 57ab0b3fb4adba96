package io.lladav.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Dependencies point one way: gateway and services to decoding, model, engine and runtime, and those to
/// nothing of ours but what is named here.
final class ArchitectureTest {
  private static final String[] SERVICES = {"io.lladav.vision..", "io.lladav.projector..",
      "io.lladav.denoiser..",
      "io.lladav.gateway.."};
  private static final String[] WIRE_TYPES = {"io.lladav.v1..", "io.lladav.internal..",
      "io.lladav.triton.wire..",
      "io.grpc..", "com.google.protobuf.."};
  private static JavaClasses all;

  @BeforeAll
  static void importAll() {
    all = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
        .importPackages("io.lladav");
  }

  @ParameterizedTest
  @ValueSource(strings = {"decoding", "model", "triton"})
  void dependsOnNothingOfOurs(String module) {
    onlyDependsOn(module);
  }

  @Test
  void engineDependsOnTheModelAndTritonsClient() {
    onlyDependsOn("engine", "model", "triton");
    noClasses().that().resideInAPackage("io.lladav.engine.embedded..").should().dependOnClassesThat()
        .resideInAnyPackage("io.lladav.triton..", "io.lladav.engine.triton..").check(all);
  }

  @Test
  void runtimeKnowsNeitherModelNorDecodingNorEngine() {
    noClasses().that().resideInAPackage("io.lladav.runtime..").should().dependOnClassesThat()
        .resideInAnyPackage("io.lladav.model..", "io.lladav.decoding..", "io.lladav.engine..").check(all);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vision", "projector", "denoiser", "gateway"})
  void noServiceDependsOnAnother(String service) {
    var others = Stream.of(SERVICES).filter(other -> !other.equals("io.lladav." + service + ".."))
        .toArray(String[]::new);
    noClasses().that().resideInAPackage("io.lladav." + service + "..").should().dependOnClassesThat()
        .resideInAnyPackage(others).check(all);
  }

  @Test
  void librariesDependOnNoServiceAndNotOnTheCommandLine() {
    noClasses().that().resideInAnyPackage("io.lladav.decoding..", "io.lladav.model..", "io.lladav.engine..",
        "io.lladav.runtime..", "io.lladav.triton..").should().dependOnClassesThat()
        .resideInAnyPackage(
            Stream.concat(Stream.of(SERVICES), Stream.of("io.lladav.cli..")).toArray(String[]::new))
        .check(all);
  }

  @Test
  void wireTypesStayOutOfTheLibraries() {
    noClasses().that().resideInAnyPackage("io.lladav.decoding..", "io.lladav.model..", "io.lladav.engine")
        .should().dependOnClassesThat().resideInAnyPackage(WIRE_TYPES).check(all);
  }

  @Test
  void onlyItsClientKnowsTheWireTypesOfTriton() {
    noClasses().that().resideOutsideOfPackage("io.lladav.triton..").should().dependOnClassesThat()
        .resideInAPackage("io.lladav.triton.wire..").check(all);
    noMethods().that().arePublic().and().areDeclaredInClassesThat().resideInAPackage("io.lladav.triton").and()
        .areDeclaredInClassesThat().arePublic().should()
        .haveRawReturnType(resideInAPackage("io.lladav.triton.wire..")).check(all);
  }

  @Test
  void theGatewayRunsNoArithmetic() {
    noClasses().that().resideInAPackage("io.lladav.gateway..").should().dependOnClassesThat()
        .resideInAnyPackage("io.lladav.engine..", "ai.onnxruntime..").check(all);
  }

  @Test
  void onlyTheEmbeddedEngineKnowsOnnxRuntime() {
    noClasses().that().resideOutsideOfPackage("io.lladav.engine.embedded..").should().dependOnClassesThat()
        .resideInAPackage("ai.onnxruntime..").check(all);
  }

  @Test
  void packagesFormNoCycles() {
    slices().matching("io.lladav.(**)").should().beFreeOfCycles().check(all);
  }

  private static void onlyDependsOn(String module, String... others) {
    var allowed = Stream.concat(Stream.of(module), Stream.of(others)).map(name -> "io.lladav." + name + "..")
        .toList();
    classes().that().resideInAPackage("io.lladav." + module + "..").should()
        .onlyDependOnClassesThat(new OursAmong(allowed)).check(all);
  }

  /// Classes that are not ours, or in one of the packages.
  private static final class OursAmong
      extends
        com.tngtech.archunit.base.DescribedPredicate<com.tngtech.archunit.core.domain.JavaClass> {
    private final List<String> packages;

    OursAmong(List<String> packages) {
      super("are not ours or in " + packages);
      this.packages = packages;
    }

    @Override
    public boolean test(com.tngtech.archunit.core.domain.JavaClass type) {
      return !type.getPackageName().startsWith("io.lladav") || packages.stream()
          .anyMatch(name -> (type.getPackageName() + ".").startsWith(name.substring(0, name.length() - 1)));
    }
  }
}

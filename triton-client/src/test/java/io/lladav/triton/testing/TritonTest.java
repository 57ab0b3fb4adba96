package io.lladav.triton.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Marks tests that start a real Triton. They run where LLADAV_TRITON_TESTS is 1 or TRITON_HOME is set, because its
/// installation is a large download; elsewhere they are skipped, and one line says so.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("triton")
@ExtendWith(TritonTest.Condition.class)
public @interface TritonTest {
  /// Looks at the environment.
  final class Condition implements ExecutionCondition {
    private static final AtomicBoolean SAID = new AtomicBoolean();

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if ("1".equals(System.getenv("LLADAV_TRITON_TESTS")) || System.getenv("TRITON_HOME") != null) {
        return ConditionEvaluationResult.enabled("asked for");
      }
      var reason = "Skipped: tests against a real Triton. To run them: LLADAV_TRITON_TESTS=1 ./mvnw verify"
          + " (the first time downloads about 2.8 GB)";
      if (SAID.compareAndSet(false, true)) {
        System.out.println(reason);
      }
      return ConditionEvaluationResult.disabled(reason);
    }
  }
}

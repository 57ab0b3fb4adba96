package io.lladav.gateway;

import io.lladav.model.prompt.PromptBuilder;
import io.lladav.model.prompt.SpecialTokens;
import io.lladav.v1.GetModelResponse;
import io.lladav.v1.ModelDefaults;
import io.lladav.v1.ModelIdentity;
import io.lladav.v1.ModelLimits;
import io.lladav.v1.ModelSizes;
import io.lladav.v1.SpecialToken;
import java.util.stream.IntStream;

/// The answer to `GetModel`.
final class ModelCard {
  private ModelCard() {}

  /// Describes what is served.
  static GetModelResponse of(ServedModel served, ModelIdentity identity, GatewayConfig config) {
    var tokenizer = served.tokenizer();
    SpecialTokens special = tokenizer.specialTokens();
    var response = GetModelResponse.newBuilder()
        .setIdentity(identity)
        .setSizes(sizes(served))
        .setLimits(limits(served, config))
        .setDefaults(ModelDefaults.newBuilder()
            .setGenLength(DecodingParser.GEN_LENGTH_DEFAULT)
            .addStop(tokenizer.tokenText(special.endOfTurn()))
            .setSystemMessage(PromptBuilder.DEFAULT_SYSTEM_MESSAGE));
    IntStream.of(special.startOfText(), special.endOfText(), special.mask(), special.headerStart(),
        special.headerEnd(), special.endOfTurn())
        .mapToObj(id -> SpecialToken.newBuilder().setName(tokenizer.tokenText(id)).setTokenId(id))
        .forEach(response::addSpecialTokens);
    return response.build();
  }

  private static ModelSizes sizes(ServedModel served) {
    var language = served.checkpoint().language();
    var vision = served.checkpoint().vision();
    return ModelSizes.newBuilder()
        .setHiddenSize(language.hiddenSize())
        .setLayerCount(language.layerCount())
        .setHeadCount(language.headCount())
        .setKeyValueHeadCount(language.keyValueHeadCount())
        .setVocabularySize(served.tokenizer().size())
        .setVisionWidth(vision.width())
        .setTileSidePx(vision.imageSize())
        .setPatchesPerTile(vision.patchCount())
        .build();
  }

  private static ModelLimits limits(ServedModel served, GatewayConfig config) {
    var limits = config.limits();
    var conversations = config.conversations();
    return ModelLimits.newBuilder()
        .setPromptPositionsMax(served.promptPositionsMax())
        .setGenLengthMax(limits.genLengthMax())
        .setSuffixTokensMax(limits.suffixTokensMax())
        .setImageBytesMax(limits.imageBytesMax())
        .setImagePixelsMax(limits.imagePixelsMax())
        .setImageSidePxMax(limits.imageSideMax())
        .setImagesMax(limits.imagesMax())
        .setVideoFramesMax(limits.videoFramesMax())
        .setVideoPixelsMax(limits.videoPixelsMax())
        .setRequestBytesMax(config.grpc().messageBytesMax())
        .setConcurrentGenerationsMax(limits.concurrentGenerationsMax())
        .setWaitingGenerationsMax(limits.waitingGenerationsMax())
        .setStopStringsMax(limits.stopStringsMax())
        .setMessagesMax(limits.messagesMax())
        .setTextCharsMax(limits.textCharsMax())
        .setLogitBiasesMax(limits.logitBiasesMax())
        .setAnswersMax(limits.answersAtOnceMax())
        .setConversationTurnsMax(conversations.turnsMax())
        .setConversationBytesMax(conversations.conversationBytesMax())
        .setConversationUnusedSecondsMax(conversations.unusedMax().toSeconds())
        .setOpenDialoguesMax(conversations.openMax())
        .build();
  }
}

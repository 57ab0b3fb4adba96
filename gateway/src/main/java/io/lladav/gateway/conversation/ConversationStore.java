package io.lladav.gateway.conversation;

import com.google.protobuf.ByteString;
import io.lladav.v1.Conversation;
import io.lladav.v1.KeptMessage;
import io.lladav.v1.KeptTurn;
import java.util.Map;

/// Where conversations are kept.
///
/// What is kept is the message [Conversation], which is read back as it is, and beside it the pictures it names, by the
/// SHA-256 of their bytes, once per tree: a conversation and all that were branched from it. Every method counts as a use
/// of the conversation and returns it with the time at which it will be removed otherwise.
///
/// Every method may be called by any thread, may block, and throws [io.lladav.runtime.ServiceException.NotFound] for an
/// id that does not exist or no longer does.
public interface ConversationStore extends AutoCloseable {
  /// Keeps a new conversation.
  ///
  /// @param beginning without id and turns
  /// @param pictures those that its messages name
  /// @return it with its id, which nobody can guess
  /// @throws io.lladav.runtime.ServiceException.Overloaded if there is no room at the moment
  /// @throws io.lladav.runtime.ServiceException.LimitExceeded if it is too large
  Conversation create(Conversation beginning, Map<ByteString, ByteString> pictures);

  /// Returns a conversation: its finished turns.
  Conversation find(String id);

  /// Returns a conversation to somebody who wants to go on with it.
  ///
  /// @throws io.lladav.runtime.ServiceException.Conflict if a turn runs
  Conversation open(String id);

  /// Begins a turn; nobody else can until the writer is closed.
  ///
  /// @throws io.lladav.runtime.ServiceException.Conflict if another turn runs
  Writer write(String id);

  /// Keeps a new conversation that begins as another, in the same tree.
  ///
  /// @param turnCount the other's turns that it begins with
  /// @throws io.lladav.runtime.ServiceException.InvalidRequest if the other has fewer
  /// @throws io.lladav.runtime.ServiceException.Overloaded if there is no room at the moment
  Conversation branch(String id, int turnCount);

  /// Takes the last turn back.
  ///
  /// @throws io.lladav.runtime.ServiceException.InvalidRequest if there is none
  /// @throws io.lladav.runtime.ServiceException.Conflict if a turn runs
  Conversation undo(String id);

  /// Removes a conversation, and the pictures that no other of its tree names.
  ///
  /// @throws io.lladav.runtime.ServiceException.Conflict if a turn runs
  void delete(String id);

  /// Frees what the store itself holds.
  @Override
  void close();

  /// The only one who may add to a conversation, for one turn. To be used by one thread.
  interface Writer extends AutoCloseable {
    /// The conversation before the turn.
    Conversation conversation();

    /// The bytes of a picture that the conversation names.
    ByteString picture(ByteString sha256);

    /// Makes room for the turn, and keeps its pictures, before its reply is made: [#append] is then not refused.
    ///
    /// @param pictures those that the question names
    /// @throws io.lladav.runtime.ServiceException.LimitExceeded if the conversation would be too long or too large
    /// @throws io.lladav.runtime.ServiceException.Overloaded if there is no room at the moment
    void keep(KeptMessage question, Map<ByteString, ByteString> pictures);

    /// Adds the turn whose question was given to [#keep]; once at most.
    void append(KeptTurn turn);

    /// Lets others write. Without [#append] before, the conversation is as it was.
    @Override
    void close();
  }
}

using System.Buffers.Text;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Search;

/// <summary>What a cursor holds.</summary>
/// <param name="Place">Where the page before ended.</param>
/// <param name="Parameters">The search as it was asked for, without its resource.</param>
public sealed record SearchCursor(SearchPlace Place, IReadOnlyList<KeyValuePair<string, string>> Parameters);

/// <summary>
/// Cursors: a whole query and a place in its answers, encrypted with AES-256-GCM, since they hold names, dates and UIDs that no URL of ours may
/// (docs/design.md, promise 6), and bound to the resource that they came from. All processes of an archive share the key: the configured one, or one derived
/// from a random secret that the first of them leaves in <c>derived</c>.
/// </summary>
/// <param name="derived">Where the secret is kept when no key is configured.</param>
/// <param name="configuredKey">32 bytes, or null.</param>
public sealed class SearchCursors(IBlobContainer derived, byte[]? configuredKey)
{
    /// <summary>The blob with the secret: no study's prefix, so nothing that is tidied away (docs/design.md, rule 9).</summary>
    public const string SecretName = "cursor-secret";

    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 32;

    private const byte Version = 1;
    private const int NonceBytes = 12, TagBytes = 16;

    // HTTP clients take some 64 KiB of headers, and the cursor goes out in one. Lists of UIDs come out at half their length, so this is a query of some 90 KiB.
    private const int MaxCursorChars = 48 * 1024, MaxContentBytes = 256 * 1024;

    private byte[]? key = configuredKey;

    /// <summary>The cursor of a place in the answers to a query; null if the query is too long for one.</summary>
    public async Task<string?> ProtectAsync(SearchPlace place, QidoQuery query, CancellationToken cancellationToken)
    {
        var plain = Pack(new SearchCursor(place, query.Parameters));
        var cursor = new byte[1 + NonceBytes + plain.Length + TagBytes];
        cursor[0] = Version;
        RandomNumberGenerator.Fill(cursor.AsSpan(1, NonceBytes));
        using var aes = new AesGcm(await KeyAsync(cancellationToken), TagBytes);
        aes.Encrypt(cursor.AsSpan(1, NonceBytes), plain, cursor.AsSpan(1 + NonceBytes, plain.Length), cursor.AsSpan(1 + NonceBytes + plain.Length),
            Resource(query.Level, query.Study, query.Series));
        var text = Base64Url.EncodeToString(cursor);
        return text.Length <= MaxCursorChars ? text : null;
    }

    /// <summary>What a cursor holds; null if this archive did not make it, or it belongs to another resource or was changed.</summary>
    public async Task<SearchCursor?> ReadAsync(string text, QidoLevel level, Uid? study, Uid? series, CancellationToken cancellationToken)
    {
        if (text.Length > MaxCursorChars || !Base64Url.IsValid(text)) return null;
        var cursor = Base64Url.DecodeFromChars(text);
        if (cursor.Length <= 1 + NonceBytes + TagBytes || cursor[0] != Version) return null;
        var plain = new byte[cursor.Length - 1 - NonceBytes - TagBytes];
        using var aes = new AesGcm(await KeyAsync(cancellationToken), TagBytes);
        try
        {
            aes.Decrypt(cursor.AsSpan(1, NonceBytes), cursor.AsSpan(1 + NonceBytes, plain.Length), cursor.AsSpan(1 + NonceBytes + plain.Length), plain,
                Resource(level, study, series));
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        return Unpack(plain);
    }

    private static byte[] Resource(QidoLevel level, Uid? study, Uid? series) => Encoding.ASCII.GetBytes($"{level}/{study}/{series}");

    // Compressed, so that a list of UIDs still fits a URL after base64.
    private static byte[] Pack(SearchCursor cursor)
    {
        var packed = new MemoryStream();
        using (var writer = new BinaryWriter(new BrotliStream(packed, CompressionLevel.Optimal, leaveOpen: true)))
        {
            writer.Write(cursor.Place.ToString());
            writer.Write(cursor.Parameters.Count);
            foreach (var (name, value) in cursor.Parameters)
            {
                writer.Write(name);
                writer.Write(value);
            }
        }
        return packed.ToArray();
    }

    // Decryption succeeded, so this archive made it; an older version may have written another form.
    private static SearchCursor? Unpack(byte[] packed)
    {
        var content = new byte[MaxContentBytes];
        if (!BrotliDecoder.TryDecompress(packed, content, out var length)) return null;
        using var reader = new BinaryReader(new MemoryStream(content, 0, length));
        try
        {
            if (!SearchPlace.TryParse(reader.ReadString(), out var place)) return null;
            var parameters = new List<KeyValuePair<string, string>>();
            for (var left = reader.ReadInt32(); left > 0; left--) parameters.Add(new(reader.ReadString(), reader.ReadString()));
            return new SearchCursor(place!, parameters);
        }
        catch (Exception exception) when (exception is EndOfStreamException or FormatException)
        {
            return null;
        }
    }

    private async Task<byte[]> KeyAsync(CancellationToken cancellationToken)
    {
        if (key is { } known) return known;
        if (await derived.HeadAsync(SecretName, cancellationToken) is null)
        {
            var fresh = RandomNumberGenerator.GetBytes(KeyBytes);
            // Whoever comes first decides; the others read what is there.
            await derived.PutAsync(SecretName, new(fresh), new BlobWrite(BlobCondition.Absent), cancellationToken);
        }
        var secret = await derived.ReadAllAsync(SecretName, cancellationToken);
        return key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, KeyBytes, info: "DicomServerless search cursor 1"u8.ToArray());
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Archive.Index;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Search;

/// <summary>
/// Cursors: places in the order of answers, encrypted with AES-256-GCM and bound to the query that they came from, since they hold dates and UIDs. All processes of an archive
/// share the key: the configured one, or one derived from a random secret that the first of them leaves in <c>derived</c>.
/// </summary>
/// <param name="derived">Where the secret is kept when no key is configured.</param>
/// <param name="configuredKey">32 bytes, or null.</param>
public sealed class SearchCursors(IBlobContainer derived, byte[]? configuredKey)
{
    /// <summary>The blob with the secret: no study's prefix, so nothing that is tidied away (design, rule 9).</summary>
    public const string SecretName = "cursor-secret";

    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 32;

    private const byte Version = 1;
    private const int NonceBytes = 12, TagBytes = 16;

    private byte[]? key = configuredKey;

    /// <summary>The cursor of a place.</summary>
    public async Task<string> ProtectAsync(SearchPlace place, QidoQuery query, CancellationToken cancellationToken)
    {
        var plain = Encoding.ASCII.GetBytes(place.ToString());
        var cursor = new byte[1 + NonceBytes + plain.Length + TagBytes];
        cursor[0] = Version;
        RandomNumberGenerator.Fill(cursor.AsSpan(1, NonceBytes));
        using var aes = new AesGcm(await KeyAsync(cancellationToken), TagBytes);
        aes.Encrypt(cursor.AsSpan(1, NonceBytes), plain, cursor.AsSpan(1 + NonceBytes, plain.Length), cursor.AsSpan(1 + NonceBytes + plain.Length), query.Fingerprint);
        return Base64Url.EncodeToString(cursor);
    }

    /// <summary>The place of a cursor; null if it is none of ours, of another query, or changed.</summary>
    public async Task<SearchPlace?> ReadAsync(string text, QidoQuery query, CancellationToken cancellationToken)
    {
        const int longest = 1024;
        if (text.Length > longest || !Base64Url.IsValid(text)) return null;
        var cursor = Base64Url.DecodeFromChars(text);
        if (cursor.Length <= 1 + NonceBytes + TagBytes || cursor[0] != Version) return null;
        var plain = new byte[cursor.Length - 1 - NonceBytes - TagBytes];
        using var aes = new AesGcm(await KeyAsync(cancellationToken), TagBytes);
        try
        {
            aes.Decrypt(cursor.AsSpan(1, NonceBytes), cursor.AsSpan(1 + NonceBytes, plain.Length), cursor.AsSpan(1 + NonceBytes + plain.Length), plain, query.Fingerprint);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        return SearchPlace.TryParse(Encoding.ASCII.GetString(plain), out var place) ? place : null;
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

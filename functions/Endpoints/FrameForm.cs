using System.Diagnostics.CodeAnalysis;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Endpoints;

/// <summary>How frames are given (PS3.18 8.7.3.3).</summary>
/// <param name="IsMultipart">As multipart/related.</param>
/// <param name="MediaType">The media type of each.</param>
/// <param name="TransferSyntax">Their transfer syntax.</param>
internal readonly record struct FrameForm(bool IsMultipart, string MediaType, string TransferSyntax)
{
    private const string EncapsulatedUncompressed = "1.2.840.10008.1.2.1.98";

    public string ContentType => $"{MediaType}; transfer-syntax={TransferSyntax}";

    /// <summary>Finds the form that a client wants most of those that can be given without decoding.</summary>
    /// <param name="accept">What the client takes.</param>
    /// <param name="instance">The instance.</param>
    /// <param name="isEncapsulated">Whether its frames are compressed as stored.</param>
    /// <param name="singleFrames">How many frames are asked for where one of them may come without multipart; null where it must be multipart.</param>
    /// <param name="form">The form.</param>
    /// <param name="reason">Why there is none: a sentence for a user.</param>
    public static bool TryChoose(Accept accept, StoredInstance instance, bool isEncapsulated,
        int? singleFrames, out FrameForm form, [NotNullWhen(false)] out string? reason)
    {
        // What is in the fragments of Encapsulated Uncompressed is native (PS3.5 A.4.11).
        var isCompressed = isEncapsulated && instance.TransferSyntaxUid != EncapsulatedUncompressed;
        // Native frames are always given little endian, so that is what they are called.
        var syntax = isCompressed ? instance.TransferSyntaxUid : Dicom.TransferSyntax.ExplicitVrLittleEndian.Uid.Value;
        var image = isCompressed ? instance.TransferSyntax?.FrameMediaType ?? MediaTypes.Octets : MediaTypes.Octets;
        reason = null;
        // With its own media type a compressed frame is what the standard has; octets are what viewers ask for.
        string[] types = image == MediaTypes.Octets ? [MediaTypes.Octets] : [image, MediaTypes.Octets];
        foreach (var alternative in accept.Alternatives)
        {
            foreach (var type in types)
            {
                foreach (var isMultipart in (ReadOnlySpan<bool>)[true, false])
                {
                    var representation = new Representation(type, isMultipart);
                    if (alternative.Fit(representation) == 0 || accept.Refuses(representation)) continue;
                    if (!isMultipart && singleFrames != 1)
                    {
                        reason ??= "Several frames are multipart/related; ask for one frame, or accept multipart/related.";
                        continue;
                    }
                    if (!IsMade(alternative, type, image, syntax, isCompressed))
                    {
                        reason ??= $"The frames are stored in the transfer syntax {syntax} and are not decoded; accept multipart/related; "
                            + $"type=\"{image}\", or transfer-syntax=*.";
                        continue;
                    }
                    form = new FrameForm(isMultipart, type, syntax);
                    return true;
                }
            }
        }
        form = default;
        reason ??= $"The frames are {string.Join(" or ", types.Select(type => Representation.Multipart(type).ToString()))}.";
        return false;
    }

    private static bool IsMade(AcceptedType alternative, string type, string image, string syntax, bool isCompressed)
    {
        if (alternative.TransferSyntax is { } wanted && wanted != "*")
            return wanted == syntax || (!isCompressed && wanted == Dicom.TransferSyntax.ImplicitVrLittleEndian.Uid.Value); // native pixels are the same in both
        // Octets without a transfer syntax are raw pixels (PS3.18 8.7.3.3.2); compressed ones would be shown as noise.
        return !isCompressed || (type == image && image != MediaTypes.Octets) || alternative.TransferSyntax == "*" || alternative.IsAnything;
    }
}

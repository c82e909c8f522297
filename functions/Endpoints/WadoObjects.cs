using DicomServerless.Dicom.Web;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Retrieves whole objects: a study, a series or an instance (PS3.18 10.4.1.1.1), as multipart/related or, for one instance, as application/dicom.</summary>
internal static class WadoObjects
{
    private const string Dicom = "application/dicom";

    public static async Task RetrieveAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        var retrieval = context.Archive().Retrieval;
        var instances = await retrieval.ListAsync(uids.Study!.Value, uids.Series, uids.Instance, context.RequestAborted);
        if (instances.Count == 0)
        {
            await NotFound.WriteAsync(context, uids);
            return;
        }
        if (!TryChoose(Accept.Of(context.Request), instances, uids.Instance is not null, out var choice, out var reason))
        {
            await Problem.WriteAsync(context, 406, reason);
            return;
        }
        var etag = ETagOf(instances, choice);
        if (Caching.IsNotModified(context, etag)) return;
        if (choice.IsMultipart) await WriteMultipartAsync(context, instances, choice);
        else await WriteSingleAsync(context, instances[0], choice, etag);
    }

    /// <summary>Answers with one object as application/dicom, in a transfer syntax: null for explicit little endian where that can be made, * for as stored, or one by name.</summary>
    public static async Task SendAsync(HttpContext context, StoredInstance instance, string? transferSyntax)
    {
        var target = transferSyntax switch { null => TransferSyntax.ExplicitVrLittleEndian, "*" => null, _ => TransferSyntax.Find(transferSyntax) };
        var choice = new Choice(false, target);
        if (transferSyntax is not (null or "*") && choice.TransferSyntaxUid(instance) != transferSyntax)
        {
            await Problem.WriteAsync(context, 406, "The instance is not stored in the transfer syntax asked for and cannot be converted to it; ask for it as stored, with *.");
            return;
        }
        var etag = ETagOf([instance], choice);
        if (!Caching.IsNotModified(context, etag)) await WriteSingleAsync(context, instance, choice, etag);
    }

    /// <summary>How objects are given.</summary>
    /// <param name="IsMultipart">As multipart/related.</param>
    /// <param name="Target">Null: as stored. Else each object that is not in it and can be converted is.</param>
    private readonly record struct Choice(bool IsMultipart, TransferSyntax? Target)
    {
        /// <summary>What an object is converted to; null if it goes as it is.</summary>
        public TransferSyntax? Conversion(StoredInstance instance) =>
            Target is not null && instance.TransferSyntaxUid != Target.Uid.Value && instance.TransferSyntax is { } stored && TransferSyntaxConverter.CanConvert(stored, Target) ? Target : null;

        public string TransferSyntaxUid(StoredInstance instance) => Conversion(instance)?.Uid.Value ?? instance.TransferSyntaxUid;
    }

    private static bool TryChoose(Accept accept, IReadOnlyList<StoredInstance> instances, bool isInstance, out Choice choice, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        var multipart = Representation.Multipart(Dicom);
        var single = Representation.Single(Dicom);
        foreach (var alternative in accept.Alternatives)
        {
            var isMultipart = alternative.Fit(multipart) > 0 && !accept.Refuses(multipart);
            if (!isMultipart && !(isInstance && alternative.Fit(single) > 0 && !accept.Refuses(single))) continue;
            choice = new Choice(isMultipart, TransferSyntax.ExplicitVrLittleEndian);
            if (alternative.TransferSyntax is not { } wanted) return true; // PS3.18 8.7.3.5.2: explicit little endian where that can be made, else as stored
            choice = new Choice(isMultipart, null);
            if (wanted == "*") return true;
            if (TransferSyntax.Find(wanted) is { } target)
            {
                choice = new Choice(isMultipart, target);
                var made = choice;
                var left = instances.Count(instance => made.TransferSyntaxUid(instance) != wanted);
                if (left == 0) return true;
                reason ??= $"{left} of {instances.Count} instances are not stored in the transfer syntax asked for and cannot be converted to it; ask for transfer-syntax=*.";
            }
            else reason ??= "The transfer syntax asked for is not known; ask for transfer-syntax=*.";
        }
        choice = default;
        reason ??= isInstance ? $"An instance is {multipart} or {single}." : $"Studies and series are {multipart}.";
        return false;
    }

    private static string ETagOf(IReadOnlyList<StoredInstance> instances, Choice choice)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var instance in instances) hash.AppendData(Encoding.ASCII.GetBytes($"{instance.Key.Series}/{instance.Key.Sop}/{instance.ETag}/{choice.TransferSyntaxUid(instance)}\n"));
        return $"\"{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 12))}{(choice.IsMultipart ? "m" : "s")}\"";
    }

    private static string PartType(Choice choice, StoredInstance instance) => $"{Dicom}; transfer-syntax={choice.TransferSyntaxUid(instance)}";

    private static string Location(HttpContext context, StoredInstance instance) =>
        $"{context.BaseUrl()}/studies/{instance.Key.Study}/series/{instance.Key.Series}/instances/{instance.Key.Sop}";

    private static async Task WriteSingleAsync(HttpContext context, StoredInstance instance, Choice choice, string etag)
    {
        var response = context.Response;
        if (choice.Conversion(instance) is null)
        {
            // Ranges are of the bytes that lie there; converted ones are made as they go.
            response.Headers.AcceptRanges = "bytes";
            if (context.Request.Headers.Range.Count > 0)
            {
                response.Headers.ContentLocation = Location(context, instance);
                await Payload.SendAsync(context, PartType(choice, instance), etag, instance.Length, (offset, length, token) => context.Archive().Retrieval.OpenRangeAsync(instance, offset, length, token));
                return;
            }
        }
        await using var opened = await OpenFirstAsync(context, instance);
        if (opened is null) throw new InstanceChangedException();
        instance = opened.Instance; // it may have been replaced since it was listed
        response.ContentType = PartType(choice, instance);
        response.Headers.ContentLocation = Location(context, instance);
        if (choice.Conversion(instance) is null) response.ContentLength = instance.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await CopyAsync(context, opened, choice);
    }

    private static async Task<OpenedInstance?> OpenFirstAsync(HttpContext context, StoredInstance instance)
    {
        await foreach (var opened in context.Archive().Retrieval.OpenAllAsync([instance], context.RequestAborted)) return opened;
        return null;
    }

    private static async Task WriteMultipartAsync(HttpContext context, IReadOnlyList<StoredInstance> instances, Choice choice)
    {
        var boundary = MultipartWriter.NewBoundary(context.RequestServices.GetRequiredService<Func<Guid>>());
        context.Response.ContentType = MultipartWriter.ContentType(Dicom, boundary);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var writer = new MultipartWriter(context.Response.BodyWriter, boundary);
        await foreach (var opened in context.Archive().Retrieval.OpenAllAsync(instances, context.RequestAborted))
        {
            await using (opened)
            {
                var instance = opened.Instance;
                writer.Begin(PartType(choice, instance), Location(context, instance), choice.Conversion(instance) is null ? instance.Length : null);
                await CopyAsync(context, opened, choice);
            }
        }
        if (!writer.HasParts) throw new InstanceChangedException(); // all deleted since they were listed
        await writer.EndAsync(context.RequestAborted);
    }

    private static async Task CopyAsync(HttpContext context, OpenedInstance opened, Choice choice)
    {
        var counted = context.Telemetry().BytesOut;
        counted.Add(opened.Instance.Length);
        var output = context.Response.BodyWriter.AsStream(leaveOpen: true);
        if (choice.Conversion(opened.Instance) is not { } target) await Payload.CopyAsync(opened.Content, context.Response.BodyWriter, opened.Instance.Length, context.RequestAborted);
        // It was read whole when it was stored, so an error here is damage: the answer is cut off, never ended as if it were complete.
        else if (await TransferSyntaxConverter.ConvertAsync(opened.Content, output, target, context.Settings().Archive.Limits, context.RequestAborted) is { } error)
            throw new InvalidDataException("A stored object cannot be converted: " + error.Message);
    }
}
